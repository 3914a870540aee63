#include "cli/terminal/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

#include "cli/terminal/failure.hpp"

namespace sluice::cli {

namespace {

struct unit {
    std::string_view name;
    std::chrono::milliseconds length;
};

// `ms` before `m`: the longer name is tried first.
constexpr std::array<unit, 5> units{{{"d", std::chrono::hours{24}},
                                     {"h", std::chrono::hours{1}},
                                     {"ms", std::chrono::milliseconds{1}},
                                     {"m", std::chrono::minutes{1}},
                                     {"s", std::chrono::seconds{1}}}};

constexpr std::int64_t longest_days = 36'500;

failure no_age(std::string_view text) {
    return wrong_usage(fmt::format("`{}` is no age; write for example 90s, 10m, 1h30m or 7d", text));
}

}  // namespace

std::string age_text(duration age) {
    const auto seconds = std::max<std::int64_t>(0, std::chrono::floor<std::chrono::seconds>(age).count());
    const auto days = seconds / 86'400;
    const auto hours = seconds / 3'600 % 24;
    const auto minutes = seconds / 60 % 60;
    if (days > 0) return fmt::format("{}d {}h", days, hours);
    if (hours > 0) return fmt::format("{}h {}m", hours, minutes);
    if (minutes > 0) return fmt::format("{}m {}s", minutes, seconds % 60);
    return fmt::format("{}s", seconds);
}

duration parse_age(std::string_view text) {
    std::string_view rest = text;
    duration total{0};
    do {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (error != std::errc{} || number < 0) throw no_age(text);
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        const auto* found = units.begin();
        while (found != units.end() && !rest.starts_with(found->name)) ++found;
        if (found == units.end()) throw no_age(text);
        rest.remove_prefix(found->name.size());
        constexpr std::chrono::milliseconds longest = std::chrono::hours{24} * longest_days;
        if (number > longest / found->length) throw no_age(text);
        total += number * found->length;
    } while (!rest.empty());
    return total;
}

std::string count_text(std::int64_t count) {
    std::string digits = std::to_string(count);
    const std::ptrdiff_t first = count < 0 ? 1 : 0;
    for (auto at = std::ssize(digits) - 3; at > first; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

std::string count_of(std::int64_t count, std::string_view singular, std::string_view plural) {
    if (count == 1) return fmt::format("1 {}", singular);
    return plural.empty() ? fmt::format("{} {}s", count_text(count), singular)
                          : fmt::format("{} {}", count_text(count), plural);
}

}  // namespace sluice::cli
