#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/moment.hpp"
#include "broker/verdict.hpp"
#include "observe/span.hpp"
#include "observe/tracer.hpp"
#include "outbox/dispatch.hpp"
#include "store/records.hpp"

namespace sluice::outbox {

/// What a lane is, for its spans. Lifetime: refers to what it was made of.
struct traced_lane {
    const std::string& name;  ///< as made by store::make_lane_name
    const std::string& owner;
    const std::string& system;  ///< `messaging.system` of the broker
    const dispatch_rules& rules;
};

/// The spans of one batch on its way to the broker: one of the batch, in a trace of its own and linked to the messages,
/// and one of each message, in the trace of the message. While it lives, the batch is the span of this thread. While no
/// spans are recorded, it is nothing and the rows are not looked at.
///
/// Thread safety: none. Lifetime: the tracer, the lane and the rows must outlive it.
class batch_spans {
public:
    batch_spans(const observe::tracer& tracer, const traced_lane& of, std::span<const store::due_row> rows);
    batch_spans(const batch_spans&) = delete;
    batch_spans& operator=(const batch_spans&) = delete;
    /// What was not answered for has failed.
    ~batch_spans();

    /// @param verdicts  one for each row
    void answered(std::span<const broker::verdict> verdicts);

private:
    void begin(const observe::span_source& spans, std::span<const store::due_row> rows);
    void begin_message(const observe::span_source& spans, const store::due_row& row, base::moment begin);

    const traced_lane of_;
    observe::span batch_;
    std::vector<observe::span> messages_;  ///< one for each row, which may be nothing; empty while none are recorded
    std::optional<observe::span_scope> here_;
    bool is_answered_ = false;
};

}  // namespace sluice::outbox
