#pragma once

#include <chrono>
#include <optional>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "command/repetition.hpp"
#include "commit/environment.hpp"
#include "observe/log.hpp"

namespace sluice::command {

/// Runs `attempt`, an outermost unit of work, again for as long as `repetition` says. Each attempt makes a unit of its
/// own, which reads fresh state.
/// @throws the error of the last attempt
template <class Attempt>
auto repeat(commit::environment& env, const std::optional<date_time>& deadline, const Attempt& attempt) {
    repetition plan{env.configuration().server, env.random()};
    for (;;) {
        duration pause{};
        try {
            return attempt();
        } catch (const error& failure) {
            if (const auto* race = dynamic_cast<const expected_version_error*>(&failure)) {
                env.contention().lost(race->contended(), env.time().monotonic_now());
            }
            const auto next = plan.after(failure, env.time().now(), deadline);
            if (!next) throw;
            pause = *next;
            observe::log(observe::level::debug, "unit.repeated",
                         {{"code", failure.code()}, {"reason", base::one_line(failure.what())}});
        }
        env.pauses().sleep(pause);
    }
}

}  // namespace sluice::command
