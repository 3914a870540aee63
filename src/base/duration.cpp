#include <sluice/duration.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include <sluice/error.hpp>

#include "base/one_line.hpp"

namespace sluice {
namespace {

struct unit_of_time {
    char letter;
    bool is_time;  ///< behind the `T`
    std::int64_t micros;
};

constexpr std::int64_t one_second = 1'000'000;
/// From the longest to the shortest, the order in which they must come.
constexpr std::array<unit_of_time, 5> units_of_time{{{'W', false, 604'800 * one_second},
                                                     {'D', false, 86'400 * one_second},
                                                     {'H', true, 3'600 * one_second},
                                                     {'M', true, 60 * one_second},
                                                     {'S', true, one_second}}};

/// Reads the parts of a duration. It counts downward, since the range reaches further there.
class duration_reader {
public:
    explicit duration_reader(std::string_view text) : rest_{text} {}

    /// Nothing when the text is no duration, or one that is too long.
    std::optional<duration> read() {
        const bool negative = skip('-');
        if (!negative) skip('+');
        if (!skip('P') || rest_.ends_with('T')) return std::nullopt;
        bool in_time = false;
        std::size_t next_unit = 0;
        while (!rest_.empty()) {
            if (!in_time && skip('T')) in_time = true;
            if (ended_ || !read_part(in_time, next_unit)) return std::nullopt;
        }
        if (next_unit == 0 || (!negative && total_ == std::numeric_limits<std::int64_t>::min())) return std::nullopt;
        return duration{negative ? total_ : -total_};
    }

private:
    bool skip(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    [[nodiscard]] bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
    int take_digit() {
        const int digit = rest_.front() - '0';
        rest_.remove_prefix(1);
        return digit;
    }

    /// A number and its unit. A fraction ends the duration.
    bool read_part(bool in_time, std::size_t& next_unit) {
        if (!at_digit()) return false;
        std::int64_t whole = 0;
        while (at_digit()) {
            if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_sub_overflow(whole, take_digit(), &whole)) {
                return false;
            }
        }
        std::int64_t millionths = 0;
        if (skip('.') || skip(',')) {
            if (!at_digit()) return false;
            ended_ = true;
            std::int64_t place = one_second / 10;
            for (; at_digit(); place /= 10) millionths -= place * take_digit();
        }
        for (; next_unit < units_of_time.size(); ++next_unit) {
            const auto& unit = units_of_time.at(next_unit);
            if (unit.is_time != in_time || !skip(unit.letter)) continue;
            ++next_unit;
            // A week has less than 2^63 millionths of a microsecond, so the second product fits.
            return !__builtin_mul_overflow(whole, unit.micros, &whole) &&
                   !__builtin_add_overflow(total_, whole, &total_) &&
                   !__builtin_add_overflow(total_, millionths * (unit.micros / one_second), &total_);
        }
        return false;
    }

    std::string_view rest_;
    std::int64_t total_ = 0;
    bool ended_ = false;
};

}  // namespace

std::string format_duration(duration length) {
    constexpr std::int64_t in_day = 86'400 * one_second;
    constexpr std::int64_t in_hour = 3'600 * one_second;
    constexpr std::int64_t in_minute = 60 * one_second;
    const auto micros = length.count();
    auto left = micros < 0 ? ~static_cast<std::uint64_t>(micros) + 1 : static_cast<std::uint64_t>(micros);
    const auto take = [&left](std::int64_t unit) {
        const auto count = left / static_cast<std::uint64_t>(unit);
        left %= static_cast<std::uint64_t>(unit);
        return count;
    };
    std::string text = micros < 0 ? "-P" : "P";
    if (const auto days = take(in_day); days != 0) text += std::to_string(days) + "D";
    if (left == 0 && micros != 0) return text;
    text += 'T';
    if (const auto hours = take(in_hour); hours != 0) text += std::to_string(hours) + "H";
    if (const auto minutes = take(in_minute); minutes != 0) text += std::to_string(minutes) + "M";
    const auto seconds = take(one_second);
    if (seconds == 0 && left == 0 && micros != 0) return text;
    text += std::to_string(seconds);
    if (left != 0) {
        std::string fraction = std::to_string(one_second + static_cast<std::int64_t>(left)).substr(1);
        fraction.erase(fraction.find_last_not_of('0') + 1);
        text += '.' + fraction;
    }
    return text + 'S';
}

duration parse_duration(std::string_view text) {
    if (const auto read = duration_reader{text}.read()) return *read;
    constexpr std::size_t enough = 64;
    throw decode_error{"'" + base::one_line(text, enough) +
                       "' is not a duration in weeks, days, hours, minutes and seconds; expected for example PT1H30M"};
}

}  // namespace sluice
