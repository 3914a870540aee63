#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commit/environment.hpp"
#include "store/records.hpp"

/// What came of commands with an idempotency key: it commits with the effects of their handlers.
namespace sluice::commit {

/// What came of the command with this key; nothing when there was none, or it has expired.
/// @throws store_error
[[nodiscard]] std::optional<store::command_outcome> find_outcome(environment& env, std::string_view database,
                                                                 std::string_view key);
/// "idempotency key `a`", for errors.
[[nodiscard]] std::string text_of_keys(const std::vector<store::command_outcome>& outcomes);

}  // namespace sluice::commit
