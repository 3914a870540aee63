#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/error.hpp>
#include <sluice/json.hpp>
#include <sluice/registry.hpp>

#include "commit/environment.hpp"
#include "envelope/payload.hpp"

/// Commands with an idempotency key: each has one outcome, which commits with the effects of its handler.
///
/// Outcomes are kept in the database of the command's aggregate, whatever its kind.
namespace sluice::command {

/// A request, recognisable when it is repeated.
struct keyed_command {
    const detail::command_entry& command;
    std::string key;
    std::string fingerprint;  ///< of the data, as this build encodes it
};

/// @throws usage_error unless the key has 1 to 255 characters, none of them a control character
[[nodiscard]] keyed_command keyed(const detail::command_entry& command, std::string_view key,
                                  const envelope::payload& data);
/// @throws usage_error as `keyed`
void require_valid_key(std::string_view key);

[[nodiscard]] store::command_outcome success_of(const commit::environment& env, const keyed_command& request,
                                                const void* result);

/// What came of the request, in its database; nothing when there was none, or it has expired.
/// @throws store_error
[[nodiscard]] std::optional<store::command_outcome> find_outcome(commit::environment& env,
                                                                 const keyed_command& request);

/// The result of the first time.
/// @throws the error of the first time; usage_error when the key belongs to another command or to other data
[[nodiscard]] std::shared_ptr<void> answer_again(const keyed_command& request, const store::command_outcome& earlier);

/// Remembers that the request failed. Returns the outcome that somebody else was faster with, if there is one: it is
/// the answer then. A database that refuses is logged, for the failure is what the caller must hear.
[[nodiscard]] std::optional<store::command_outcome> remember_failure(commit::environment& env,
                                                                     const keyed_command& request,
                                                                     const error& failure);

}  // namespace sluice::command
