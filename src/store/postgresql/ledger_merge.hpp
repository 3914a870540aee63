#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "store/lease_session.hpp"
#include "store/postgresql/lane_link.hpp"

namespace sluice::store::postgresql {

/// Makes one record of neighbours in the lane's part of the ledger, as far as the lane's mark: a lane that sends events
/// one by one writes a record for each.
///
/// Thread safety: that of the link.
class ledger_merge {
public:
    /// Looks at a bounded number of records, and goes on from there in the next call. Does nothing when the lease is
    /// lost.
    void run(lane_link& link, const lease_grant& grant, std::string_view target_broker);

private:
    std::map<std::string, sequence, std::less<>> merged_upto_;  ///< per lane
};

}  // namespace sluice::store::postgresql
