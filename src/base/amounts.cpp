#include "base/amounts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace sluice::base {

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

}  // namespace sluice::base
