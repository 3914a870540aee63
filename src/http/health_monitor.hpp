#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "commit/environment.hpp"
#include "consume/route.hpp"
#include "engine/engine.hpp"
#include "http/checks.hpp"
#include "http/metrics.hpp"
#include "http/readiness.hpp"
#include "http/watch.hpp"

namespace sluice::http {

/// The counters of everything that the domain's lanes and subscriptions do. Give it to the tracer before the engine
/// starts.
[[nodiscard]] std::shared_ptr<metrics> make_metrics(commit::environment& env);

/// Sees how an engine, its databases and its brokers are.
///
/// The databases and brokers are looked at in the background, each by a thread and a connection of its own, so one that
/// hangs delays neither a question nor another look. Questions are answered from what was seen last.
///
/// Thread safety: all members may be called concurrently. Lifetime: `env` must outlive it, and an engine that it
/// watches too.
class health_monitor {
public:
    /// @param counts  of `make_metrics`
    /// @param timing  of the looks; empty: databases and brokers are not looked at, and only the engine is seen
    health_monitor(commit::environment& env, std::shared_ptr<const metrics> counts,
                   const std::optional<watch_timing>& timing);
    health_monitor(const health_monitor&) = delete;
    health_monitor& operator=(const health_monitor&) = delete;
    /// Waits for looks under way, which the deadlines of the adapters end.
    ~health_monitor() = default;

    /// Begins to look around. Once.
    void watch(const engine::engine& running);
    void drain() noexcept { phase_ = phase::draining; }
    /// Ends the looking around; questions are answered all the same.
    /// @param patience  how long to wait for looks under way
    /// @returns false when a database or broker keeps a look waiting
    [[nodiscard]] bool leave(duration patience);

    [[nodiscard]] health_report report() const;
    [[nodiscard]] process_figures figures() const;
    [[nodiscard]] std::string metrics_text(metrics_format format = metrics_format::prometheus_text) const {
        return metrics_->render(report(), figures(), format);
    }
    [[nodiscard]] std::vector<metric_family> metrics_values() const { return metrics_->collect(report(), figures()); }

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
        watched_broker(std::string called, std::shared_ptr<broker::broker> what,
                       broker_check::operations_opener operations, const watch_timing& timing)
            : name{std::move(called)},
              check{std::move(what), std::move(operations)},
              watch{"look " + name, [this] { check.look(); }, timing} {}

        std::string name;
        broker_check check;
        http::watch watch;
    };

    void add_watches(const watch_timing& timing);
    /// @param answers  whether the database does now; if not, what it said before means nothing
    void add_lanes(const watched_database& of, bool answers, date_time now, health_report& to) const;
    void add_subscriptions(health_report& to) const;
    [[nodiscard]] bool is_subscriber(const std::string& handler) const;

    commit::environment& env_;
    std::vector<consume::route> routes_;
    std::shared_ptr<const metrics> metrics_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
    std::atomic<phase> phase_{phase::starting};
    std::atomic<const engine::engine*> engine_{nullptr};
    std::vector<std::unique_ptr<watched_database>> databases_;
    std::vector<std::unique_ptr<watched_broker>> brokers_;
};

}  // namespace sluice::http
