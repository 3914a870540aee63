#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/context.hpp>

#include "command/context_state.hpp"
#include "command/deadline.hpp"
#include "command/idempotency.hpp"
#include "observe/span.hpp"

/// What `context::process` and `context::submit` do.
namespace sluice::command {

/// @throws usage_error naming the nearest command
[[nodiscard]] const detail::command_entry& command_named(const detail::registry& declared, std::string_view name);
/// @throws usage_error for a command without a handler
[[nodiscard]] const detail::command_entry& command_of_type(const detail::registry& declared, std::string_view cpp_name);

/// A command that keeps its rules, written down, and on what terms it is given. Refers to what it was made of.
class command_call {
public:
    /// @throws validation_error naming every offending field; usage_error about the options; what an enricher throws
    command_call(context& caller, const detail::command_entry& entry, const void* command,
                 const process_options& options);

    /// Runs the handler in the open unit, or in one of its own that is repeated and committed here. Returns its result.
    [[nodiscard]] std::shared_ptr<void> process();
    /// Writes the command to the outbox. Returns the message's id.
    [[nodiscard]] std::string submit();

private:
    /// The span of the call, which `trace_` becomes; nothing while none are recorded.
    [[nodiscard]] observe::span begin_span(const char* what);
    [[nodiscard]] std::shared_ptr<void> process_here();
    [[nodiscard]] std::string submit_here();
    [[nodiscard]] std::shared_ptr<void> process_in(detail::unit& open);
    [[nodiscard]] std::shared_ptr<void> attempt();
    [[nodiscard]] std::shared_ptr<void> attempt_once();
    [[nodiscard]] std::shared_ptr<void> run_handler(detail::unit& in);
    void write_down(detail::unit& in, const commit::command_terms& terms);
    [[nodiscard]] context handler_context() const;
    [[nodiscard]] detail::provenance origin_of(context& handler) const;

    context& caller_;
    detail::context_state& from_;
    commit::environment& env_;
    const detail::command_entry& entry_;
    const void* command_;
    const process_options& options_;
    latest_start given_deadline_;
    latest_start deadline_;  ///< of `process`
    envelope::payload data_;
    json::object extensions_;
    std::string id_;
    std::optional<keyed_command> key_;
    std::optional<trace_parent> trace_;  ///< what comes of the command continues it
};

}  // namespace sluice::command
