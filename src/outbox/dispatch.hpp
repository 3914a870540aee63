#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sluice/time.hpp>

#include "broker/publisher.hpp"
#include "config/configuration.hpp"
#include "envelope/format.hpp"
#include "store/records.hpp"

namespace sluice::outbox {

/// In which form and to which stream a lane sends. Pure.
struct dispatch_rules {
    std::shared_ptr<const envelope::format> form = envelope::internal_format();
    std::string stream = config::lane_options{}.stream;  ///< a template
    std::size_t largest_message = 0;                     ///< bytes; 0: whatever the broker takes
    config::priority_lane_settings priority_lanes{};

    [[nodiscard]] static dispatch_rules internal(const config::lane_options& lane,
                                                 config::priority_lane_settings lanes) {
        return {.largest_message = lane.max_message_bytes, .priority_lanes = std::move(lanes)};
    }
    /// Partners know no priority.
    [[nodiscard]] static dispatch_rules external(const config::lane_options& lane = {}) {
        return {.form = envelope::external_format(lane.terms),
                .stream = lane.stream,
                .largest_message = lane.max_message_bytes};
    }

    /// What the template comes to, with `:{suffix}` for rows below the threshold when priority lanes are on.
    [[nodiscard]] std::string stream_of(const store::due_row& row) const;
    /// @throws usage_error  the message is too large for the lane
    void require_size(std::string_view message_id, std::size_t bytes) const;
};

/// Renders the rows, sends them in one batch and returns one verdict per row, in order. A row that cannot be rendered
/// is refused for good, and the later rows of its stream are not sent; what the publisher throws is an outage. A row of
/// several messages is delivered when all of them are; else the first that was not decides.
[[nodiscard]] std::vector<broker::verdict> dispatch(std::span<const store::due_row> rows, const dispatch_rules& rules,
                                                    broker::publisher& publisher, const broker::producer& from,
                                                    duration timeout);

}  // namespace sluice::outbox
