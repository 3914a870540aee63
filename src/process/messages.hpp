#pragma once

#include <string_view>

#include <sluice/process_manager.hpp>

#include "commit/unit.hpp"

/// What a step of a process manager writes into the log.
namespace sluice::process {

/// The transition at `memory.position`, which the stream must have free. It goes to no broker: an instance's state is
/// its own affair.
/// @param data  as `encode_transition` wrote it
[[nodiscard]] store::event_write write_transition(commit::environment& env, const detail::process_entry& process,
                                                  const detail::process_memory& memory, std::string data,
                                                  const detail::provenance& from);

/// Id of the message of a timer: `{timeout category}-{correlation}-{position of the transition}.{name}`. Each setting
/// of a timer has its own, and no two share one, because a timer's name has no dot.
[[nodiscard]] std::string timeout_id(const detail::process_entry& process, const detail::process_memory& memory,
                                     std::string_view name);

/// The message that a timer sends when it is due, to the process manager itself.
/// @param timer  with its id
[[nodiscard]] store::scheduled_message write_timeout(commit::environment& env, const detail::process_entry& process,
                                                     const detail::process_memory& memory, const std::string& name,
                                                     const detail::armed_timer& timer, const detail::provenance& from);

}  // namespace sluice::process
