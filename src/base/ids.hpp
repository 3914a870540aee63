#pragma once

#include "base/random.hpp"

#include <string>

namespace sluice::base {

/// A random UUID (RFC 4122 version 4) in 36 characters: `0f8fad5b-d9cb-469f-a165-70867728950e`.
[[nodiscard]] std::string uuid4(random_source& random);

/// The same without dashes, 32 hexadecimal digits: the form of a correlation id.
[[nodiscard]] std::string uuid4_hex(random_source& random);

}  // namespace sluice::base
