#include "store/postgresql/result.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <climits>

#include "store/postgresql/parameters.hpp"

namespace sluice::store::postgresql {
namespace {

/// A big-endian number of one to eight bytes, with its sign.
std::int64_t number_in(std::string_view bytes) noexcept {
    if (bytes.empty()) return 0;
    std::uint64_t number = static_cast<signed char>(bytes.front()) < 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) number = (number << CHAR_BIT) | static_cast<unsigned char>(byte);
    return static_cast<std::int64_t>(number);
}

/// The elements of a one-dimensional array.
std::vector<std::string_view> array_elements(std::string_view bytes) {
    constexpr std::size_t word = 4;
    constexpr std::size_t header = 5 * word;  // dimensions, flags, type, size, first index
    std::vector<std::string_view> elements;
    if (bytes.size() < header) return elements;
    const auto size = number_in(bytes.substr(3 * word, word));
    elements.reserve(static_cast<std::size_t>(size));
    bytes.remove_prefix(header);
    for (std::int64_t i = 0; i < size; ++i) {
        const auto length = static_cast<std::size_t>(number_in(bytes.substr(0, word)));
        elements.push_back(bytes.substr(word, length));
        bytes.remove_prefix(word + length);
    }
    return elements;
}

}  // namespace

std::string_view result::view(int row, int column) const noexcept {
    if (null(row, column)) return {};
    return {PQgetvalue(answer_.get(), row, column), static_cast<std::size_t>(PQgetlength(answer_.get(), row, column))};
}

std::int64_t result::integer(int row, int column) const noexcept { return number_in(view(row, column)); }

double result::real(int row, int column) const noexcept {
    return std::bit_cast<double>(static_cast<std::uint64_t>(integer(row, column)));
}

bool result::boolean(int row, int column) const noexcept { return integer(row, column) != 0; }

date_time result::time(int row, int column) const noexcept {
    return date_time::from_micros(integer(row, column) + postgresql_epoch);
}

date result::day(int row, int column) const noexcept {
    return date{std::chrono::sys_days{std::chrono::days{integer(row, column) + postgresql_epoch_day}}};
}

std::string result::numeric(int row, int column) const {
    // Four numbers of 16 bits (how many groups of four digits there are; the place of the first, 0 for that before the
    // point; the sign; how many digits are shown after the point), then the groups.
    constexpr std::size_t half_word = 2;
    constexpr std::int64_t negative = 0x4000;
    constexpr std::int64_t digits_in_group = 4;
    constexpr std::int64_t one_more_digit = 10'000;
    const auto bytes = view(row, column);
    const auto word = [&](std::int64_t index) {
        return number_in(bytes.substr(static_cast<std::size_t>(index) * half_word, half_word));
    };
    const auto groups = word(0);
    const auto first = word(1);
    const auto shown = word(3);
    const auto group_at = [&](std::int64_t place) {
        const auto index = first - place;
        const auto group = index >= 0 && index < groups ? word(4 + index) : 0;
        return std::to_string(one_more_digit + group).substr(1);
    };
    std::string whole;
    for (auto place = std::max<std::int64_t>(first, 0); place >= 0; --place) whole += group_at(place);
    whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
    if (word(2) == negative) whole.insert(0, 1, '-');
    if (shown == 0) return whole;
    std::string fraction;
    for (std::int64_t place = -1; - place <= (shown + digits_in_group - 1) / digits_in_group; --place) {
        fraction += group_at(place);
    }
    return whole + '.' + fraction.substr(0, static_cast<std::size_t>(shown));
}

std::optional<date_time> result::optional_time(int row, int column) const noexcept {
    if (null(row, column)) return std::nullopt;
    return time(row, column);
}

std::vector<std::int64_t> result::integers(int row, int column) const {
    std::vector<std::int64_t> numbers;
    for (const auto element : array_elements(view(row, column))) numbers.push_back(number_in(element));
    return numbers;
}

std::vector<std::string> result::texts(int row, int column) const {
    std::vector<std::string> texts;
    for (const auto element : array_elements(view(row, column))) texts.emplace_back(element);
    return texts;
}

std::size_t result::affected() const {
    const std::string_view digits = PQcmdTuples(answer_.get());
    std::size_t count = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    return count;
}

}  // namespace sluice::store::postgresql
