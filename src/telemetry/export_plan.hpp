#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/time.hpp>

#include "base/backoff.hpp"
#include "telemetry/delivery.hpp"

namespace sluice::telemetry {

struct export_timing {
    std::size_t batch = 512;                           ///< spans in one request
    duration delay{std::chrono::seconds{5}};           ///< how long a span waits for others
    duration metrics_every{std::chrono::seconds{60}};  ///< 0: no metrics are sent
    base::backoff retry{};                             ///< of one batch of spans
    duration give_up{std::chrono::minutes{1}};         ///< after the first attempt to send it
};

/// Decides what an exporter does next. Pure: no clock and no I/O; the shell does it and reports back.
///
/// A batch that the receiver does not take now is tried again with growing pauses, no sooner than the receiver asks
/// for, and given up after a minute: newer spans wait behind it, in a queue that is bounded. Metrics are not tried
/// again, because the next ones say more. When the receiver asks for a pause, metrics wait for its end as well.
class export_plan {
public:
    enum class step : std::uint8_t { send_spans, send_metrics, rest, end };
    struct action {
        step what = step::rest;
        instant until{};  ///< of a rest
    };
    /// What waits in the queue.
    struct waiting {
        std::size_t spans = 0;
        std::optional<instant> since{};  ///< the oldest one
    };

    export_plan(const export_timing& timing, instant now) : timing_{timing}, metrics_at_{now + timing.metrics_every} {}

    [[nodiscard]] action next(const waiting& queue, instant now);

    /// What came of sending the batch. True: it is not to be sent again.
    [[nodiscard]] bool sent_spans(const delivery& what, instant now);
    void sent_metrics(const delivery& what, instant now);

    /// All that waits now is to be sent at once, metrics included.
    void flush(instant now);
    /// The same, and then, or at that time, or when the receiver is away, the end.
    void stop(instant now, instant until);

    /// Spans have left the queue and are to be sent.
    void took_batch() noexcept { has_batch_ = true; }
    [[nodiscard]] bool has_batch() const noexcept { return has_batch_; }
    /// Since the last `flush` the receiver was found to be away.
    [[nodiscard]] bool is_hopeless() const noexcept { return is_hopeless_; }
    /// Nothing of what `flush` meant is left.
    [[nodiscard]] bool is_flushed(const waiting& queue) const noexcept {
        return queue.spans == 0 && !has_batch() && !metrics_now_;
    }

private:
    [[nodiscard]] bool is_due(const waiting& queue, instant now) const;

    export_timing timing_;
    bool has_batch_ = false;
    int failures_ = 0;  ///< of the batch
    instant first_failure_{};
    instant not_before_{};  ///< the receiver wants nothing sooner, or is away
    instant metrics_at_;
    bool hurries_ = false;
    bool metrics_now_ = false;
    bool is_hopeless_ = false;
    std::optional<instant> end_at_{};
};

}  // namespace sluice::telemetry
