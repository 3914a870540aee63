#pragma once

/// The version of these headers; the one place that says it.
#define SLUICE_VERSION "0.1.0"

namespace sluice {

/// The version of the library that is loaded, spelled like SLUICE_VERSION.
///
/// Thread safety: safe.
[[nodiscard]] const char* version() noexcept;

}  // namespace sluice
