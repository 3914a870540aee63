#pragma once

#include <cstdint>
#include <mutex>

#include "store/lease_session.hpp"
#include "store/memory/memory_data.hpp"

namespace sluice::store::memory {

/// What a lease and the rows that it guards share.
///
/// Thread safety: belongs to the thread of its sessions. Lifetime: the data outlives it.
struct lane_link {
    explicit lane_link(memory_data& of_database) : data{of_database} {
        const std::lock_guard lock{data.mutex};
        seen = data.news;
    }

    /// The lease while it is the grant's, else null. The caller holds the data's lock.
    [[nodiscard]] memory_lease* owned(const lease_grant& grant) const {
        const auto found = data.leases.find(grant.lane);
        if (found == data.leases.end()) return nullptr;
        auto& lease = found->second;
        return lease.owner == grant.owner && lease.epoch == grant.epoch ? &lease : nullptr;
    }

    memory_data& data;
    std::uint64_t seen = 0;  ///< the news that the last look included
};

}  // namespace sluice::store::memory
