#include "base/fingerprint.hpp"

#include <xxhash.h>

namespace sluice::base {

std::uint64_t fingerprint(std::string_view text) noexcept { return XXH3_64bits(text.data(), text.size()); }

}  // namespace sluice::base
