#pragma once

#include <memory>

#include "store/lease_session.hpp"
#include "store/row_source.hpp"

namespace sluice::store {

/// What a lane needs of a database, over one connection: the lease that makes it the only carrier of its rows, and the
/// rows.
///
/// Thread safety: belongs to the lane's thread.
struct lane_session {
    std::unique_ptr<lease_session> lease{};
    std::unique_ptr<row_source> rows{};

    [[nodiscard]] explicit operator bool() const noexcept { return lease != nullptr; }
};

}  // namespace sluice::store
