#include <sluice/error.hpp>
#include <sluice/time.hpp>

#include <algorithm>

namespace sluice {
namespace {

using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr date_time first_instant{sys_days{std::chrono::year{1} / 1 / 1}.time_since_epoch()};
constexpr date_time last_instant{sys_days{std::chrono::year{10000} / 1 / 1}.time_since_epoch() - duration{1}};

/// Reads the parts of a time text from left to right.
class reader {
public:
    explicit reader(std::string_view text) noexcept : text_{text}, rest_{text} {}

    [[noreturn]] void fail() const {
        constexpr std::size_t enough = 64;
        throw decode_error{"'" + std::string{text_.substr(0, enough)} +
                           "' is not a time; expected for example 2026-11-23T07:56:25.613701+00:00"};
    }

    [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

    bool skip(char c) noexcept {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void expect(char c) {
        if (!skip(c)) fail();
    }

    /// Exactly `width` digits whose value is at most `highest`.
    int read_number(std::size_t width, int highest) {
        int number = 0;
        for (std::size_t i = 0; i < width; ++i) number = number * 10 + read_digit();
        if (number > highest) fail();
        return number;
    }

    /// One to nine digits after the point; what is finer than a microsecond is cut off.
    duration read_fraction() {
        constexpr int most_digits = 9;
        std::int64_t nanoseconds = 0;
        int digits = 0;
        for (; digits < most_digits && !at_end() && rest_.front() >= '0' && rest_.front() <= '9'; ++digits) {
            nanoseconds = nanoseconds * 10 + read_digit();
        }
        if (digits == 0) fail();
        for (; digits < most_digits; ++digits) nanoseconds *= 10;
        return std::chrono::floor<duration>(std::chrono::nanoseconds{nanoseconds});
    }

private:
    int read_digit() {
        if (at_end() || rest_.front() < '0' || rest_.front() > '9') fail();
        const int digit = rest_.front() - '0';
        rest_.remove_prefix(1);
        return digit;
    }

    std::string_view text_;
    std::string_view rest_;
};

sys_days read_date(reader& in) {
    const std::chrono::year year{in.read_number(4, 9999)};
    in.expect('-');
    const std::chrono::month month{static_cast<unsigned>(in.read_number(2, 12))};
    in.expect('-');
    const std::chrono::day day{static_cast<unsigned>(in.read_number(2, 31))};
    const year_month_day date{year, month, day};
    if (!date.ok()) in.fail();
    return date;
}

duration read_time_of_day(reader& in) {
    duration time = std::chrono::hours{in.read_number(2, 23)};
    in.expect(':');
    time += std::chrono::minutes{in.read_number(2, 59)};
    in.expect(':');
    time += std::chrono::seconds{in.read_number(2, 59)};
    if (in.skip('.')) time += in.read_fraction();
    return time;
}

duration read_zone(reader& in) {
    if (in.at_end() || in.skip('Z')) return duration{0};
    const bool west = in.skip('-');
    if (!west) in.expect('+');
    duration offset = std::chrono::hours{in.read_number(2, 23)};
    in.expect(':');
    offset += std::chrono::minutes{in.read_number(2, 59)};
    return west ? -offset : offset;
}

void append_number(std::string& out, std::int64_t number, std::size_t width) {
    const std::string digits = std::to_string(number);
    out.append(width - std::min(width, digits.size()), '0').append(digits);
}

class machine_clock final : public clock {
public:
    [[nodiscard]] date_time now() const override {
        const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
        return date_time{std::chrono::floor<duration>(since_epoch)};
    }
    [[nodiscard]] instant monotonic_now() const override {
        return std::chrono::floor<duration>(std::chrono::steady_clock::now());
    }
};

}  // namespace

date_time date_time::parse(std::string_view text) {
    reader in{text};
    const sys_days date = read_date(in);
    if (!in.skip('T')) in.expect(' ');
    const duration time = read_time_of_day(in);
    const duration offset = read_zone(in);
    const date_time parsed{date.time_since_epoch() + time - offset};
    if (!in.at_end() || parsed < first_instant || parsed > last_instant) in.fail();
    return parsed;
}

std::string date_time::to_string() const {
    const duration since_epoch = std::clamp(*this, first_instant, last_instant).since_epoch_;
    const auto days = std::chrono::floor<std::chrono::days>(since_epoch);
    const year_month_day date{sys_days{days}};
    const std::chrono::hh_mm_ss time{since_epoch - days};

    std::string text;
    text.reserve(sizeof "2026-11-23T07:56:25.613701+00:00");
    append_number(text, static_cast<int>(date.year()), 4);
    text += '-';
    append_number(text, static_cast<unsigned>(date.month()), 2);
    text += '-';
    append_number(text, static_cast<unsigned>(date.day()), 2);
    text += 'T';
    append_number(text, time.hours().count(), 2);
    text += ':';
    append_number(text, time.minutes().count(), 2);
    text += ':';
    append_number(text, time.seconds().count(), 2);
    if (time.subseconds() != duration{0}) {
        text += '.';
        append_number(text, time.subseconds().count(), 6);
    }
    return text += "+00:00";
}

const clock& system_clock() {
    static const machine_clock instance;
    return instance;
}

}  // namespace sluice
