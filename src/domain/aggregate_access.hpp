#pragma once

#include <utility>
#include <vector>

#include <sluice/aggregate.hpp>

namespace sluice::detail {

/// The library's way into the private part of an aggregate.
struct aggregate_access {
    static std::vector<recorded_event> take_events(aggregate_root& object) {
        return std::exchange(object.recorded_, {});
    }
    /// Makes it one that is stored with this version.
    static void set_version(aggregate_root& object, std::int64_t version) {
        object.version_ = version;
        object.has_begun_ = true;
    }
};

}  // namespace sluice::detail
