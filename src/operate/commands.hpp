#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <sluice/context.hpp>
#include <sluice/json.hpp>
#include <sluice/registry.hpp>

#include "commit/environment.hpp"

/// Commands of the domain that are given from outside.
namespace sluice::operate {

/// A command with its fields.
struct command_request {
    std::string command;
    json::value data;
    std::optional<std::string> idempotency_key{};
};

/// Reads `{"command": "ShipOrder", "data": {…}, "idempotency_key": "…"}`; the key may be missing.
/// @throws decode_error
[[nodiscard]] command_request read_request(std::string_view text);

/// What came of a command.
struct command_answer {
    std::string command;
    std::optional<std::string> message_id{};  ///< of one that was only written down
    json::value result{};                     ///< of one that ran; null when it has none
};

[[nodiscard]] json::value to_json(const command_answer& answer);

/// @throws request_error (wrong_request) when the domain has no such command, with the names that there are
void require_command(const detail::registry& domain, const std::string& command);

/// Runs commands, each in a unit of work of its own.
///
/// Thread safety: belongs to one thread. Lifetime: `env` must outlive it.
class command_runner {
public:
    /// @param options  of every command but for the key, when the request has one
    /// @param asynchronous  commands are only written down; the engine runs them
    command_runner(commit::environment& env, process_options options, bool asynchronous);

    /// @throws whatever the command throws; validation_error, store_error
    command_answer run(const command_request& request);

private:
    process_options options_;
    bool asynchronous_;
    context context_;
};

}  // namespace sluice::operate
