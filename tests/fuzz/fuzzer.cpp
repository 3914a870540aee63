#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "fuzz/targets.hpp"
#include "observe/log.hpp"

namespace {

const sluice::fuzz::target& chosen() {
    const char* const name = std::getenv("SLUICE_FUZZ_TARGET");  // NOLINT(concurrency-mt-unsafe): at start
    const auto* const found = sluice::fuzz::target_named(name == nullptr ? "" : name);
    if (found != nullptr) return *found;
    std::fputs("SLUICE_FUZZ_TARGET must be one of:", stderr);
    for (const auto& each : sluice::fuzz::targets()) std::fprintf(stderr, " %s", each.name);
    std::fputs("\n", stderr);
    std::exit(2);  // NOLINT(concurrency-mt-unsafe): at start
}

}  // namespace

/// A broken rule, like an error that a reader must not throw, ends the process, which libFuzzer takes for a find.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const sluice::fuzz::target& target = [&]() -> const sluice::fuzz::target& {
        sluice::observe::configure_log({.threshold = sluice::observe::level::off});
        return chosen();
    }();
    try {
        target.run({reinterpret_cast<const char*>(data), size});
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s: %s\n", target.name, e.what());
        std::abort();
    }
    return 0;
}
