#pragma once

#include <span>
#include <string_view>

/// The readers of texts that come from elsewhere, each with what must hold whatever the text is.
namespace sluice::fuzz {

struct target {
    const char* name;
    void (*run)(std::string_view input);  ///< @throws broken when a rule does not hold
};

/// In the order of their names.
[[nodiscard]] std::span<const target> targets();
/// Null when there is none of this name.
[[nodiscard]] const target* target_named(std::string_view name);

}  // namespace sluice::fuzz
