#include "commit/command_outcome.hpp"

namespace sluice::commit {

std::optional<store::command_outcome> find_outcome(environment& env, std::string_view database, std::string_view key) {
    // Borrowed for the look only: a handler that touches no repository must not hold a connection.
    return env.sessions(database).borrow()->outcome_of(key, env.time().now());
}

std::string text_of_keys(const std::vector<store::command_outcome>& outcomes) {
    std::string text = outcomes.size() == 1 ? "idempotency key " : "one of the idempotency keys ";
    const char* separator = "";
    for (const store::command_outcome& each : outcomes) {
        text += separator + ("`" + each.key + "`");
        separator = ", ";
    }
    return text;
}

}  // namespace sluice::commit
