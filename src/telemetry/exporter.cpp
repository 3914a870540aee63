#include "telemetry/exporter.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/one_line.hpp"
#include "base/signal_mask.hpp"
#include "base/wake.hpp"
#include "telemetry/otlp.hpp"

namespace sluice::telemetry {

namespace {

instant steady_now() { return system_clock().monotonic_now(); }

/// Lines about lost spans come no more often than this.
constexpr duration between_lines = std::chrono::minutes{1};

}  // namespace

exporter::exporter(options with, std::unique_ptr<transport> way, std::shared_ptr<const observe::log_route> log)
    : options_{std::move(with)},
      way_{std::move(way)},
      log_{std::move(log)},
      counts_{std::make_shared<observe::span_counts>()},
      queue_{std::make_shared<span_queue>(options_.queue, counts_)},
      plan_{options_.timing, steady_now()} {
    const base::blocked_signals blocked;  // the thread inherits that
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

exporter::~exporter() { stop(); }

span_sink exporter::sink() const {
    return [queue = queue_](const finished_span& span) { queue->push(span, steady_now()); };
}

exporter::collection::~collection() {
    if (of_ == nullptr) return;
    const std::lock_guard lock{of_->collector_mutex_};
    of_->collector_ = nullptr;
}

exporter::collection exporter::collect(collector from) {
    const std::lock_guard lock{collector_mutex_};
    collector_ = std::move(from);
    return collection{*this};
}

bool exporter::flush(duration patience) {
    std::unique_lock lock{mutex_};
    plan_.flush(steady_now());
    queue_->signal().notify();
    changed_.wait_for(lock, patience, [this] { return plan_.is_flushed(waiting()) || plan_.is_hopeless(); });
    flush_failed_ = !plan_.is_flushed(waiting());
    return !flush_failed_;
}

void exporter::stop() noexcept {
    if (!thread_.joinable()) return;
    duration patience = options_.farewell;
    {
        const std::lock_guard lock{mutex_};
        if (flush_failed_) patience = duration{0};
        const instant now = steady_now();
        plan_.stop(now, now + patience);
    }
    thread_.request_stop();
    queue_->signal().notify();
    {
        // The plan ends by itself; a request under way has to be told.
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, patience, [this] { return has_ended_; });
    }
    way_->abort();
    thread_.join();
}

void exporter::run(const std::stop_token& stop) {
    const observe::log_scope scope{log_};
    const std::stop_callback wake{stop, [this] { queue_->signal().notify(); }};
    for (;;) {
        export_plan::action next;
        {
            const std::lock_guard lock{mutex_};
            next = plan_.next(waiting(), steady_now());
        }
        try {
            switch (next.what) {
                case export_plan::step::send_spans:
                    send_spans();
                    break;
                case export_plan::step::send_metrics:
                    send_metrics();
                    break;
                case export_plan::step::rest:
                    static_cast<void>(
                        base::wait_any(queue_->signal(), nullptr, std::max(next.until - steady_now(), duration{0})));
                    break;
                case export_plan::step::end:
                    return end();
            }
        } catch (const std::exception& trouble) {  // out of memory, or out of files
            observe::log(observe::level::error, "telemetry.trouble", {{"error", base::one_line(trouble.what())}});
            std::this_thread::sleep_for(std::chrono::milliseconds{100});
        }
        tell_dropped();
        changed_.notify_all();
    }
}

void exporter::end() noexcept {
    counts_->undelivered += body_spans_ + queue_->take(options_.queue.spans).size();
    const std::lock_guard lock{mutex_};
    has_ended_ = true;
    changed_.notify_all();
}

void exporter::take_batch() {
    std::vector<finished_span> spans;
    {
        const std::lock_guard lock{mutex_};
        spans = queue_->take(options_.timing.batch);
        plan_.took_batch();
    }
    body_spans_ = spans.size();
    body_ = encode_spans(options_.from, spans);
}

void exporter::send_spans() {
    if (body_spans_ == 0) take_batch();
    const delivery came = judge(way_->post("/v1/traces", body_, options_.timeout));
    tell(came, "spans");
    const std::lock_guard lock{mutex_};
    const bool is_done = plan_.sent_spans(came, steady_now());
    if (came.is == delivery::result::delivered) {
        const std::size_t rejected = std::min(came.rejected, body_spans_);
        counts_->exported += body_spans_ - rejected;
        counts_->refused += rejected;
    } else if (is_done) {
        (came.is == delivery::result::refused ? counts_->refused : counts_->undelivered) += body_spans_;
    }
    if (!is_done) return;
    body_spans_ = 0;
    body_.clear();
}

void exporter::send_metrics() {
    std::optional<std::vector<metric_family>> collected;
    {
        const std::lock_guard lock{collector_mutex_};
        if (collector_) collected = collector_();
    }
    delivery came;
    if (collected) {
        const std::string body = encode_metrics(options_.from, *collected, begin_, system_clock().now());
        came = judge(way_->post("/v1/metrics", body, options_.timeout));
        tell(came, "metrics");
    }
    const std::lock_guard lock{mutex_};
    plan_.sent_metrics(came, steady_now());
}

/// An outage is told when it begins and when it ends.
void exporter::tell(const delivery& what, const char* of) {
    const bool is_away = what.is == delivery::result::again;
    if (is_away && !is_away_) {
        observe::log(observe::level::warn, "telemetry.unreachable",
                     {{"endpoint", options_.endpoint}, {"of", of}, {"reason", what.reason}});
    } else if (what.is == delivery::result::refused || what.rejected > 0) {
        observe::log(observe::level::warn, "telemetry.refused",
                     {{"endpoint", options_.endpoint}, {"of", of}, {"reason", what.reason}});
    } else if (!is_away && is_away_) {
        observe::log(observe::level::info, "telemetry.recovered", {{"endpoint", options_.endpoint}});
    }
    is_away_ = is_away;
}

void exporter::tell_dropped() {
    const std::uint64_t dropped = counts_->queue_full + counts_->undelivered;
    const instant now = steady_now();
    if (dropped == told_dropped_ || (told_dropped_ > 0 && now - told_at_ < between_lines)) return;
    observe::log(observe::level::warn, "telemetry.spans_dropped", {{"spans", dropped - told_dropped_}});
    told_dropped_ = dropped;
    told_at_ = now;
}

}  // namespace sluice::telemetry
