#pragma once

#include <string>

#include <sluice/detail/field_tree.hpp>

namespace sluice::detail {

/// Which members a class has and of what kind, as a text: two builds that write it alike read each other's JSON alike.
/// Snapshots are stored under its fingerprint, so another text for the same class makes them useless.
[[nodiscard]] std::string layout_of(const field_tree& tree);

}  // namespace sluice::detail
