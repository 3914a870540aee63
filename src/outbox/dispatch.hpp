#pragma once

#include <span>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "broker/publisher.hpp"
#include "config/configuration.hpp"
#include "envelope/envelope.hpp"
#include "store/records.hpp"

namespace sluice::outbox {

/// In which form and to which stream a lane sends. Pure.
struct dispatch_rules {
    bool external = false;
    config::priority_lane_settings priority_lanes{};
    envelope::extension_list extensions{};  ///< that an external lane lets pass

    /// The event's stream category; on the internal side, `{category}:{suffix}` for rows below the threshold when
    /// priority lanes are on. External lanes know no priority.
    [[nodiscard]] std::string stream_of(const store::due_row& row) const;
    /// One message; on the external side one more for each older version that the event is published in, too.
    /// @throws decode_error when the stored metadata cannot be read
    [[nodiscard]] std::vector<envelope::external_message> messages_of(const store::due_row& row) const;
};

/// Renders the rows, sends them in one batch and returns one verdict per row, in order. A row that cannot be rendered
/// is refused for good, and the later rows of its stream are not sent; what the publisher throws is an outage. A row of
/// several messages is delivered when all of them are; else the first that was not decides.
[[nodiscard]] std::vector<broker::verdict> dispatch(std::span<const store::due_row> rows, const dispatch_rules& rules,
                                                    broker::publisher& publisher, const broker::producer& from,
                                                    duration timeout);

}  // namespace sluice::outbox
