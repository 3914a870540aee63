#pragma once

#include "store/records.hpp"

namespace sluice::store {

/// The numbers above `after` and up to `upto`.
struct number_range {
    sequence after = 0;
    sequence upto = 0;

    bool operator==(const number_range&) const = default;
};

}  // namespace sluice::store
