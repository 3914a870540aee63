#pragma once

#include <optional>

#include "engine/engine.hpp"
#include "http/health_monitor.hpp"
#include "http/health_service.hpp"
#include "telemetry/exporter.hpp"

namespace sluice::cli {

/// What is sent to a receiver while a server runs: the numbers of its probes, and without probes what is counted all
/// the same. Make it before the engine starts.
///
/// Thread safety: none. Lifetime: the environment, the exporter and the probes must outlive it.
class sent_metrics {
public:
    /// @param to  null: nothing is sent
    sent_metrics(commit::environment& env, telemetry::exporter* to, std::optional<http::health_service>& health) {
        if (to == nullptr) return;
        if (!health) {
            const auto counts = http::make_metrics(env);
            env.tracer().count_with(counts);
            unseen_.emplace(env, counts, std::nullopt);
        }
        sent_.emplace(
            to->collect([this, &health] { return health ? health->metrics_values() : unseen_->metrics_values(); }));
    }
    sent_metrics(const sent_metrics&) = delete;
    sent_metrics& operator=(const sent_metrics&) = delete;
    ~sent_metrics() = default;

    void watch(const engine::engine& running) {
        if (unseen_) unseen_->watch(running);
    }

private:
    std::optional<http::health_monitor> unseen_;
    std::optional<telemetry::exporter::collection> sent_;  ///< last: nobody asks any more when the rest goes
};

}  // namespace sluice::cli
