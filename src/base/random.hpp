#pragma once

#include <cstdint>
#include <random>

namespace sluice::base {

/// Where chance comes from. Injected everywhere, so that a test can repeat what it saw.
class random_source {
public:
    virtual ~random_source() = default;

    /// 64 uniformly distributed bits.
    [[nodiscard]] virtual std::uint64_t next() = 0;

    /// A uniformly distributed number in [0, 1).
    [[nodiscard]] double uniform() {
        constexpr int mantissa_bits = 53;
        return static_cast<double>(next() >> (64 - mantissa_bits)) * 0x1p-53;
    }
};

/// The kernel's generator, fit for identifiers. Nothing is buffered, so a forked child repeats nothing.
///
/// Thread safety: one instance serves the whole process, concurrently.
[[nodiscard]] random_source& system_random();

/// The same seed gives the same numbers on every platform.
///
/// Thread safety: none; give each thread its own.
class seeded_random final : public random_source {
public:
    explicit seeded_random(std::uint64_t seed) : engine_{seed} {}
    [[nodiscard]] std::uint64_t next() override { return engine_(); }

private:
    std::mt19937_64 engine_;
};

}  // namespace sluice::base
