#include "broker/webhook/http_date.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace sluice::broker::webhook {
namespace {

constexpr std::array<std::string_view, 12> http_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Takes one piece after the other from the front of a date; after the first that is not there nothing is.
class date_pieces {
public:
    explicit date_pieces(std::string_view text) : rest_{text} {}

    void literal(std::string_view expected) {
        ok_ = ok_ && rest_.starts_with(expected);
        if (ok_) rest_.remove_prefix(expected.size());
    }
    [[nodiscard]] int digits(std::size_t count) {
        int number = 0;
        const auto piece = rest_.substr(0, count);
        const auto [end, failure] = std::from_chars(piece.data(), piece.data() + piece.size(), number);
        ok_ = ok_ && piece.size() == count && failure == std::errc{} && end == piece.data() + count && number >= 0 &&
              piece.front() != '-';
        if (ok_) rest_.remove_prefix(count);
        return number;
    }
    /// Of asctime: one digit behind a space, or two.
    [[nodiscard]] int day_of_asctime() {
        if (rest_.starts_with(' ')) {
            literal(" ");
            return digits(1);
        }
        return digits(2);
    }
    [[nodiscard]] unsigned month() {
        const auto* const found = std::ranges::find(http_months, rest_.substr(0, 3));
        ok_ = ok_ && found != http_months.end();
        if (ok_) rest_.remove_prefix(3);
        return static_cast<unsigned>(found - http_months.begin()) + 1;
    }
    [[nodiscard]] std::chrono::seconds time() {
        const int hours = digits(2);
        literal(":");
        const int minutes = digits(2);
        literal(":");
        const int seconds = digits(2);
        constexpr int leap_second = 60;
        ok_ = ok_ && hours < 24 && minutes < 60 && seconds <= leap_second;
        return std::chrono::hours{hours} + std::chrono::minutes{minutes} + std::chrono::seconds{seconds};
    }
    /// All of it was there, and nothing more.
    [[nodiscard]] bool fits() const { return ok_ && rest_.empty(); }

private:
    std::string_view rest_;
    bool ok_ = true;
};

std::optional<date_time> http_time(int year, unsigned month, int day, std::chrono::seconds of_day) {
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{month},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    return date_time{std::chrono::sys_days{date}.time_since_epoch() + of_day};
}

int full_year(int of_two_digits, date_time now) {
    const std::chrono::year_month_day today{
        std::chrono::floor<std::chrono::days>(std::chrono::sys_time<duration>{duration{now.micros()}})};
    const int this_year = static_cast<int>(today.year());
    constexpr int century = 100;
    const int guess = this_year - this_year % century + of_two_digits;
    if (guess > this_year + century / 2) return guess - century;
    return guess <= this_year - century / 2 ? guess + century : guess;
}

std::optional<date_time> fixed_form(std::string_view behind_the_day) {
    date_pieces pieces{behind_the_day};
    const int day = pieces.digits(2);
    pieces.literal(" ");
    const unsigned month = pieces.month();
    pieces.literal(" ");
    const int year = pieces.digits(4);
    pieces.literal(" ");
    const auto time = pieces.time();
    pieces.literal(" GMT");
    return pieces.fits() ? http_time(year, month, day, time) : std::nullopt;
}

std::optional<date_time> form_of_rfc_850(std::string_view behind_the_day, date_time now) {
    date_pieces pieces{behind_the_day};
    const int day = pieces.digits(2);
    pieces.literal("-");
    const unsigned month = pieces.month();
    pieces.literal("-");
    const int year = pieces.digits(2);
    pieces.literal(" ");
    const auto time = pieces.time();
    pieces.literal(" GMT");
    return pieces.fits() ? http_time(full_year(year, now), month, day, time) : std::nullopt;
}

std::optional<date_time> form_of_asctime(std::string_view behind_the_day) {
    date_pieces pieces{behind_the_day};
    const unsigned month = pieces.month();
    pieces.literal(" ");
    const int day = pieces.day_of_asctime();
    pieces.literal(" ");
    const auto time = pieces.time();
    pieces.literal(" ");
    const int year = pieces.digits(4);
    return pieces.fits() ? http_time(year, month, day, time) : std::nullopt;
}

}  // namespace

std::optional<date_time> read_http_date(std::string_view text, date_time now) {
    const auto comma = text.find(", ");
    if (comma == std::string_view::npos) {
        constexpr std::size_t day_and_space = 4;
        if (text.size() < day_and_space || text[day_and_space - 1] != ' ') return std::nullopt;
        return form_of_asctime(text.substr(day_and_space));
    }
    const auto behind = text.substr(comma + 2);
    if (auto found = fixed_form(behind)) return found;
    return form_of_rfc_850(behind, now);
}

}  // namespace sluice::broker::webhook
