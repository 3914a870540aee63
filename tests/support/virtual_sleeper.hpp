#pragma once

#include <vector>

#include "base/sleeper.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::testing {

/// Lets the virtual clock do the waiting, and remembers how long.
class virtual_sleeper final : public base::sleeper {
public:
    explicit virtual_sleeper(virtual_clock& time) : clock_{time} {}

    void sleep(duration time) override {
        slept.push_back(time);
        clock_.advance(time);
    }

    std::vector<duration> slept;

private:
    virtual_clock& clock_;
};

}  // namespace sluice::testing
