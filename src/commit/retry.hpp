#pragma once

#include <sluice/error.hpp>

namespace sluice::commit {

/// Attempts of an outermost unit whose aggregates somebody else changed meanwhile (the reference's
/// `server.version_retry` default of three retries). Each attempt reads fresh state, so no waiting is needed.
inline constexpr int version_conflict_attempts = 4;

/// Runs `attempt` until it does not end in a version conflict, at most `version_conflict_attempts` times.
/// @throws the last conflict; anything else at once
template <class Attempt>
auto retry_on_version_conflict(const Attempt& attempt) {
    for (int left = version_conflict_attempts - 1; left > 0; --left) {
        try {
            return attempt();
        } catch (const expected_version_error&) {
            continue;
        }
    }
    return attempt();
}

}  // namespace sluice::commit
