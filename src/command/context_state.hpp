#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <sluice/context.hpp>

#include "commit/unit.hpp"

namespace sluice::detail {

/// What a context knows: where it works, what caused it, and the unit of work it writes into.
struct context_state {
    explicit context_state(commit::environment& environment) : env{environment} {}

    [[nodiscard]] static context_state& of(context& c) { return *c.state_; }

    /// Where events recorded through `c` come from.
    [[nodiscard]] provenance origin(const context& c) const {
        return {c, correlation_id, causation_id, traceparent, priority, origin_stream};
    }

    /// Begins a unit of work that belongs to this context. What comes of it is part of the unit's span.
    void enter_unit() {
        owned = std::make_unique<unit>(env);
        open = owned.get();
        outside = traceparent;
        if (open->traced() != nullptr) traceparent = *open->traced();
    }
    void leave_unit() {
        open = nullptr;
        owned.reset();
        traceparent = std::move(outside);
    }

    commit::environment& env;
    unit* open = nullptr;         ///< the unit of this context or of the one it was called from
    std::unique_ptr<unit> owned;  ///< set when a `unit_of_work` of this context is the outermost
    const message* current = nullptr;
    std::string correlation_id;
    std::string causation_id;
    json::object extensions;
    std::optional<trace_parent> traceparent;
    std::optional<trace_parent> outside;       ///< what it was before the unit of this context began
    std::optional<std::string> event_stream;   ///< of the domain's own event that is being handled
    std::optional<std::string> origin_stream;  ///< of the event that led to the command that is being handled
    int priority = 0;
    std::optional<date_time> deadline;
};

}  // namespace sluice::detail
