#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "commit/environment.hpp"
#include "engine/engine.hpp"
#include "http/health_monitor.hpp"
#include "http/metrics.hpp"
#include "http/server.hpp"
#include "http/watch.hpp"

namespace sluice::http {

/// Where a process's probes and metrics are served.
struct health_options {
    int port_offset = 0;  ///< added to `server.health.port`, unless that is 0: a worker's number
    watch_timing timing{};
    http_mount mounted{};  ///< served beside the probes, on the same port
};

/// Probes and metrics of one engine: `/healthz`, `/livez`, `/readyz`, `/metrics` on `server.health`.
///
/// A probe is answered from what its `health_monitor` has seen last, so nothing that hangs delays it.
///
/// Example:
///
///     health_service health{env, {}};  // answers 503 from here on
///     engine.start();
///     health.watch(engine);            // answers what it sees
///     …
///     health.drain();                  // answers 503 until the end
///     engine.stop();
///
/// Thread safety: all members may be called concurrently. Lifetime: `env` must outlive it, and an engine that it
/// watches too.
class health_service {
public:
    /// Listens, and begins to count: make it before the engine starts.
    /// @throws configuration_error naming the key when the port cannot be had
    health_service(commit::environment& env, const health_options& options);
    health_service(const health_service&) = delete;
    health_service& operator=(const health_service&) = delete;
    /// Waits for looks under way, which the deadlines of the adapters end.
    ~health_service() = default;

    void watch(const engine::engine& running) { monitor_.watch(running); }
    void drain() noexcept { monitor_.drain(); }
    /// Ends the looking around; the probes go on. Returns at once.
    /// @returns false when a database or broker keeps a look waiting: then the process should end without destroying
    ///          this
    [[nodiscard]] bool leave();

    /// What `/metrics` shows, as values.
    [[nodiscard]] std::vector<metric_family> metrics_values() const { return monitor_.metrics_values(); }

    [[nodiscard]] std::string address() const { return server_->address(); }
    [[nodiscard]] std::uint16_t port() const noexcept { return server_->port(); }

    /// What the server answers: by the path, and for metrics by what the client accepts.
    [[nodiscard]] http_answer answer(const http_request& request) const;

private:
    std::shared_ptr<metrics> metrics_;
    health_monitor monitor_;
    std::unique_ptr<http_server> server_;  // last: gone before what it answers from
};

}  // namespace sluice::http
