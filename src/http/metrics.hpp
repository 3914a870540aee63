#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sluice/metrics.hpp>
#include <sluice/time.hpp>

#include "http/metrics_format.hpp"
#include "http/readiness.hpp"
#include "http/worker_health.hpp"
#include "observe/meter.hpp"
#include "observe/tracer.hpp"

namespace sluice::http {

/// A lane that is counted, from the start on: a counter that appears with its first event hides that event from `rate`.
struct counted_lane {
    std::string database;
    std::string broker;
    bool external = false;
};

struct counted_subscription {
    std::string handler;
    std::string broker;
    std::string stream;
};

/// What changes without being counted.
struct process_figures {
    duration uptime{};
    std::vector<std::pair<std::string, int>> restarts{};  ///< of the engine's threads, by name
    const observe::span_counts* spans = nullptr;          ///< null while none are exported
};

/// The numbers of one engine (docs/observability.md names them all).
///
/// Counters and histograms are of this process, since its start. Gauges are what the database and the brokers say, and
/// are left out while they say nothing: an old number would look like a live one. The buckets of histograms keep the
/// latest exemplar each that they were given.
///
/// Thread safety: all members may be called concurrently.
class metrics final : public observe::meter {
public:
    metrics(std::string domain, const std::vector<counted_lane>& lanes,
            const std::vector<counted_subscription>& subscriptions);
    metrics(const metrics&) = delete;
    metrics& operator=(const metrics&) = delete;
    ~metrics() override;

    /// Rows and messages of lanes and subscriptions that were not named at construction are not counted.
    void count(const observe::settled_rows& rows) noexcept override;
    void count(const observe::handled_message& message) noexcept override;
    void count(const observe::breaker_change& change) noexcept override;

    [[nodiscard]] std::string render(const health_report& report, const process_figures& process,
                                     metrics_format format = metrics_format::prometheus_text) const;
    /// The same as values.
    [[nodiscard]] std::vector<metric_family> collect(const health_report& report, const process_figures& process) const;

private:
    struct instruments;
    std::unique_ptr<instruments> instruments_;
};

/// What the parent of several workers tells of itself.
[[nodiscard]] std::string render_metrics(const std::vector<worker_health>& workers, duration uptime,
                                         metrics_format format = metrics_format::prometheus_text);
[[nodiscard]] std::vector<metric_family> collect_metrics(const std::vector<worker_health>& workers, duration uptime);

}  // namespace sluice::http
