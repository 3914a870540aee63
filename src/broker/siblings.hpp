#pragma once

#include <span>
#include <vector>

#include <sluice/error.hpp>

#include "broker/consumer.hpp"

namespace sluice::broker {

/// What `wait_with` was given, as the adapter's own kind: `self`, then the others.
/// @throws usage_error  one of them is of another kind
template <class Consumer>
[[nodiscard]] std::vector<Consumer*> with_siblings(Consumer& self, std::span<consumer* const> others) {
    std::vector<Consumer*> all{&self};
    for (consumer* each : others) {
        if (each == nullptr || each == &self) continue;
        auto* sibling = dynamic_cast<Consumer*>(each);
        if (sibling == nullptr) throw usage_error{"only consumers of one broker can wait together"};
        all.push_back(sibling);
    }
    return all;
}

}  // namespace sluice::broker
