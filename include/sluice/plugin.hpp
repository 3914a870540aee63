#pragma once

#include <memory>

#include <sluice/domain.hpp>
#include <sluice/version.hpp>

namespace sluice {

/// What a domain library shows to its loader. The first two members never change, so that a loader can refuse a library
/// that was built against another Sluice before it touches anything else.
///
/// Thread safety: a constant; `make` may be called concurrently if the factory may. Lifetime: as long as the library is
/// loaded, and no domain that `make` returned may outlive that.
struct plugin_entry {
    unsigned magic;       ///< 0x534c4943
    const char* version;  ///< SLUICE_VERSION of the headers it was compiled with
    std::unique_ptr<domain> (*make)();
};

inline constexpr unsigned plugin_magic = 0x534c4943;
inline constexpr const char* plugin_symbol = "sluice_plugin_entry";

}  // namespace sluice

/// Lets `sluice … --domain=` load the library: `SLUICE_DOMAIN(shop::make_domain)` once, at namespace scope.
/// The factory runs after loading, so an exception in it is reported and does not end the process.
#define SLUICE_DOMAIN(factory)                                                                                        \
    extern "C" __attribute__((visibility("default"))) const ::sluice::plugin_entry* sluice_plugin_entry() {           \
        static constexpr ::sluice::plugin_entry entry{                                                                \
            ::sluice::plugin_magic, SLUICE_VERSION,                                                                   \
            []() -> ::std::unique_ptr<::sluice::domain> { return ::std::make_unique<::sluice::domain>(factory()); }}; \
        return &entry;                                                                                                \
    }
