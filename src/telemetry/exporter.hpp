#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/metrics.hpp>
#include <sluice/span.hpp>
#include <sluice/time.hpp>

#include "observe/log.hpp"
#include "observe/tracer.hpp"
#include "telemetry/export_plan.hpp"
#include "telemetry/resource.hpp"
#include "telemetry/span_queue.hpp"
#include "telemetry/transport.hpp"

namespace sluice::telemetry {

/// Sends spans and metrics to a receiver, by a thread of its own: whatever the receiver does, those who record wait for
/// nothing. What cannot be sent in time is dropped and counted.
///
/// Thread safety: all members may be called concurrently. Lifetime: the sinks it gave may outlive it; what comes to
/// them then is dropped.
class exporter {
public:
    struct options {
        std::string endpoint{};  ///< for the log
        resource from{};
        export_timing timing{};
        queue_limits queue{};
        duration timeout{std::chrono::seconds{10}};  ///< of one request
        duration farewell{std::chrono::seconds{2}};  ///< for what is left at the end
    };
    using collector = std::function<std::vector<metric_family>()>;

    exporter(options with, std::unique_ptr<transport> way, std::shared_ptr<const observe::log_route> log = nullptr);
    exporter(const exporter&) = delete;
    exporter& operator=(const exporter&) = delete;
    /// `stop`.
    ~exporter();

    /// Takes spans, for a `span_source`.
    [[nodiscard]] span_sink sink() const;
    [[nodiscard]] std::shared_ptr<const observe::span_counts> counts() const noexcept { return counts_; }

    /// While it lives, the metrics of a collector are sent. Its end waits for a collection under way.
    class collection {
    public:
        collection() = default;
        collection(collection&& other) noexcept : of_{std::exchange(other.of_, nullptr)} {}
        collection& operator=(collection&&) = delete;
        ~collection();

    private:
        friend class exporter;
        explicit collection(exporter& of) : of_{&of} {}
        exporter* of_ = nullptr;
    };
    /// @param from  called by the exporter's thread. One at a time: the former collection has ended
    [[nodiscard]] collection collect(collector from);

    /// Sends what there is now, metrics included. False when it was not all sent within `patience`, or as soon as the
    /// receiver is found to be away.
    bool flush(duration patience);
    /// For `options::farewell`, or for `most` when that is shorter.
    bool flush_within(duration most) { return flush(std::min(options_.farewell, most)); }
    /// Sends what is left, within `options::farewell`, unless the last flush has failed; then drops the rest. Takes no
    /// longer than that and a moment.
    void stop() noexcept;

private:
    void run(const std::stop_token& stop);
    void end() noexcept;
    void take_batch();
    void send_spans();
    void send_metrics();
    void tell(const delivery& what, const char* of);
    void tell_dropped();
    [[nodiscard]] export_plan::waiting waiting() const { return {queue_->size(), queue_->waits_since()}; }

    const options options_;
    const std::unique_ptr<transport> way_;
    const std::shared_ptr<const observe::log_route> log_;
    const std::shared_ptr<observe::span_counts> counts_;
    const std::shared_ptr<span_queue> queue_;
    const date_time begin_ = system_clock().now();
    // Of the thread.
    std::string body_;  ///< the batch in hand
    std::size_t body_spans_ = 0;
    bool is_away_ = false;
    std::uint64_t told_dropped_ = 0;
    instant told_at_{};

    std::mutex mutex_;  ///< of what follows
    std::condition_variable changed_;
    export_plan plan_;
    bool flush_failed_ = false;
    bool has_ended_ = false;
    std::mutex collector_mutex_;
    collector collector_;
    std::jthread thread_;
};

}  // namespace sluice::telemetry
