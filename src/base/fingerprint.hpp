#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::base {

/// A number that two different texts share by chance only once in 2^64 times; the same in every build and on every
/// machine: XXH3 of 64 bits without a seed. Quick, and no defence against somebody who wants two texts to share it.
///
/// Thread safety: may be called concurrently.
[[nodiscard]] std::uint64_t fingerprint(std::string_view text) noexcept;

}  // namespace sluice::base
