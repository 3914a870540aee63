#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commit/environment.hpp"
#include "consume/route.hpp"
#include "engine/engine.hpp"
#include "http/checks.hpp"
#include "http/metrics.hpp"
#include "http/readiness.hpp"
#include "http/server.hpp"
#include "http/watch.hpp"

namespace sluice::http {

/// Where a process's probes and metrics are served.
struct health_options {
    int port_offset = 0;  ///< added to `server.health.port`, unless that is 0: a worker's number
    watch_timing timing{};
};

/// Probes and metrics of one engine: `/healthz`, `/livez`, `/readyz`, `/metrics` on `server.health`.
///
/// A probe is answered from what was seen last: the databases and brokers are looked at in the background, each by a
/// thread and a connection of its own, so one that hangs delays neither a probe nor another look.
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

    void watch(const engine::engine& running);
    void drain() noexcept;
    /// Ends the looking around; the probes go on. Returns at once.
    /// @returns false when a database or broker keeps a look waiting: then the process should end without destroying
    ///          this
    [[nodiscard]] bool leave();

    [[nodiscard]] std::string address() const { return server_->address(); }
    [[nodiscard]] std::uint16_t port() const noexcept { return server_->port(); }

    /// What the server answers to a path.
    [[nodiscard]] http_answer answer(std::string_view path) const;

private:
    struct watched_database {
        watched_database(std::string called, std::shared_ptr<store::database> what, bool with_lanes,
                         const watch_timing& timing)
            : name{std::move(called)},
              has_lanes{with_lanes},
              check{std::move(what)},
              watch{"look " + name, [this] { check.look(); }, timing} {}

        std::string name;
        bool has_lanes;
        database_check check;
        http::watch watch;
    };
    struct watched_broker {
        watched_broker(std::string called, std::shared_ptr<broker::broker> what, bool is_read,
                       const watch_timing& timing)
            : name{std::move(called)},
              check{std::move(what), is_read},
              watch{"look " + name, [this] { check.look(); }, timing} {}

        std::string name;
        broker_check check;
        http::watch watch;
    };

    void add_watches(const watch_timing& timing);
    [[nodiscard]] health_report report() const;
    [[nodiscard]] process_figures figures() const;
    [[nodiscard]] subscription_health health_of(const consume::route& route, const std::string& stream,
                                                const std::string& state) const;
    [[nodiscard]] bool is_subscriber(const std::string& handler) const;

    commit::environment& env_;
    std::vector<consume::route> routes_;
    std::shared_ptr<metrics> metrics_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::atomic<phase> phase_{phase::starting};
    std::atomic<const engine::engine*> engine_{nullptr};
    std::vector<std::unique_ptr<watched_database>> databases_;
    std::vector<std::unique_ptr<watched_broker>> brokers_;
    std::unique_ptr<http_server> server_;  // last: gone before what it answers from
};

}  // namespace sluice::http
