#pragma once

#include <sluice/detail/field_tree.hpp>
#include <sluice/json.hpp>

namespace sluice::detail {

/// The JSON Schema (draft 2020-12) of the JSON that the codec writes for a class. The structs within it are definitions
/// under `$defs`, named like `shop.Address`.
///
/// It says less than the codec checks: rules across members (`check`) are code, and further keys are allowed, since a
/// newer version of an event may have more.
[[nodiscard]] json::object json_schema(const field_tree& tree);

}  // namespace sluice::detail
