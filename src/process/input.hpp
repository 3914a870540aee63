#pragma once

#include <memory>
#include <string>

#include <sluice/message.hpp>
#include <sluice/process_manager.hpp>

namespace sluice::process {

/// What a message means to a process manager.
struct process_input {
    std::string message_id{};
    std::string correlation{};                           ///< which instance it belongs to
    std::string handler_name{};                          ///< for the transition
    const detail::process_reaction* reaction = nullptr;  ///< null for a timeout
    std::shared_ptr<const void> event{};                 ///< decoded; null for a timeout
    timeout fired{};
};

/// @throws decode_error  the process manager does not react to messages of this type, or the data cannot be read
/// @throws validation_error  the event breaks a rule, or names no instance; names event and member
[[nodiscard]] process_input read_process_input(const detail::registry& domain, const detail::process_entry& process,
                                               const message& m);

}  // namespace sluice::process
