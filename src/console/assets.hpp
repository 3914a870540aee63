#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::console {

/// A file of the pages that is part of the program.
struct asset {
    std::string_view name;
    std::string_view type;
    std::string_view text;
};

/// CMake writes the list from src/console/assets.
[[nodiscard]] std::span<const asset> assets();
/// Its address, which changes with its content: so browsers may keep it. @param name  of one that there is
[[nodiscard]] std::string asset_path(std::string_view name);

}  // namespace sluice::console
