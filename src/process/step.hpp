#pragma once

#include <sluice/message.hpp>
#include <sluice/process_manager.hpp>

#include "command/invocation.hpp"
#include "commit/environment.hpp"

namespace sluice::process {

/// Gives a message to the instance of a process manager that it belongs to: one of its events, or a timeout. State,
/// timers, effects of commands and the inbox mark commit together; a step that another one got ahead of is repeated
/// with fresh state.
///
/// Nothing is written and the message counts as handled when the instance does not exist (trace event `pm.unmatched`),
/// is complete, or no longer waits for this timeout (`pm.ignored`). A step that was committed is told as
/// `pm.transition`.
///
/// @throws validation_error  the event names no instance, or the new state breaks a rule
/// @throws not_found_error  there is no instance yet, and the process manager wants to wait for it
/// @throws whatever the process manager and the commit throw, after rolling back
[[nodiscard]] command::outcome handle_process(commit::environment& env, const detail::process_entry& process,
                                              const message& m, const command::message_terms& terms);

}  // namespace sluice::process
