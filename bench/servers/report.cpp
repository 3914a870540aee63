#include "servers/report.hpp"

#include <cstdio>

#include <fmt/core.h>

namespace sluice::bench {

namespace {

constexpr auto row_format = "  {:<56}{:>14}{:>16}{:>9}  {}\n";

std::string verdict_on(double value, const bound& within) {
    const auto meets = [&](double limit) { return within.upper ? value <= limit : value >= limit; };
    if (within.aim && meets(*within.aim)) return "meets the aim";
    if (meets(within.floor)) return within.aim ? "meets the floor" : "good";
    return "MISSES THE FLOOR";
}

void print_row(std::string_view measure, std::string_view limit, std::string_view subject, std::string_view value,
               std::string_view verdict) {
    fmt::print(row_format, measure, limit, subject, value, verdict);
    std::fflush(stdout);
}

}  // namespace

void print_section(std::string_view title, std::string_view limit, std::string_view subject) {
    fmt::print("\n{}\n", title);
    print_row("", limit, subject, "value", "");
}

void print_line(std::string_view measure, std::string_view limit, std::string_view subject, double value,
                const bound& within) {
    const auto number = [&](double of) { return fmt::format("{:.{}f}", of, within.digits); };
    auto bounds = fmt::format("floor {}", number(within.floor));
    if (within.aim) bounds += fmt::format(", aim {}", number(*within.aim));
    print_row(measure, limit, subject, number(value), bounds + ": " + verdict_on(value, within));
}

void print_note(std::string_view measure, std::string_view limit, std::string_view subject, double value) {
    print_row(measure, limit, subject, fmt::format("{:.2f}", value), "");
}

std::string rate_text(double per_second) { return fmt::format("{:.0f}/s", per_second); }

}  // namespace sluice::bench
