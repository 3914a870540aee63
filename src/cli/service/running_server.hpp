#pragma once

#include <memory>
#include <optional>

#include "cli/commands/workspace.hpp"
#include "cli/service/sent_metrics.hpp"
#include "cli/workers/worker_process.hpp"
#include "console/console.hpp"
#include "engine/engine.hpp"
#include "http/health_service.hpp"

namespace sluice::cli {

/// A domain at work, with its probes and its console: what `sluice server` runs from one reading of the configuration
/// to the next.
///
/// Thread safety: none.
class running_server {
public:
    /// Starts everything, or nothing. @param role  of a worker; null when there is no supervisor
    /// @throws configuration_error, store_error; failure when a worker's port is in use
    running_server(const operate::site& at, application opened, const worker_role* role);
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;

    [[nodiscard]] const config::configuration& configuration() const { return opened_.env->configuration(); }

    /// A lane that has been in one step for longer than so: nothing but a new process helps.
    [[nodiscard]] std::optional<engine::hanging_lane> find_hanging_lane(duration longest) const {
        return engine_.find_hanging_lane(longest);
    }

    /// Probes answer 503 from now on.
    void drain() noexcept;
    enum class end {
        clean,    ///< nothing of it is in use: it may be destroyed
        stuck,    ///< a handler does not return
        not_left  ///< a broker keeps a look of the probes waiting
    };
    /// Lets the work in hand finish. After anything but `clean` the process must end without destroying this.
    [[nodiscard]] end stop();

private:
    void announce() const;

    application opened_;
    engine::engine engine_;
    std::unique_ptr<sluice::console::console> console_;  ///< null: it is switched off, or would be open to others
    std::optional<http::health_service> health_;         ///< after it: serves the console
    std::optional<sent_metrics> metrics_;
};

}  // namespace sluice::cli
