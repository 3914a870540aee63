#pragma once

#include <string>

#include <sluice/detail/field_tree.hpp>

namespace sluice::detail {

/// What a value is, for people and tools: `text`, `list of text`, `struct`, ….
[[nodiscard]] std::string kind_text(const value_type& type);

}  // namespace sluice::detail
