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

}  // namespace sluice::cli
