#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "store/records.hpp"

namespace sluice::store {

/// An event whose id depends on the place it gets in its stream, which only the database knows.
struct placeable_event {
    std::string stream{};
    std::function<event_write(std::int64_t position)> at{};
};

}  // namespace sluice::store
