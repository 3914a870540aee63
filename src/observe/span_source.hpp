#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sluice/metadata.hpp>
#include <sluice/span.hpp>
#include <sluice/time.hpp>

#include "base/random.hpp"
#include "observe/sampler.hpp"
#include "observe/span.hpp"

namespace sluice::observe {

/// Begins spans, decides which of them are recorded, and hands those to the sinks when they end.
///
/// Thread safety: all members may be called concurrently. Lifetime: clock and random source must outlive it.
class span_source {
public:
    /// @param random  used by all threads at a time
    span_source(const sampler& which, const clock& time, base::random_source& random, std::vector<span_sink> sinks);

    /// @param parent  null: it is the root of a new trace
    [[nodiscard]] span begin(std::string name, span_kind kind, const trace_parent* parent) const;
    /// The same with what is perhaps there.
    [[nodiscard]] span begin(std::string name, span_kind kind, const std::optional<trace_parent>& parent) const {
        return begin(std::move(name), kind, parent ? &*parent : nullptr);
    }
    /// A child of this thread's span; without one, of `otherwise`; without both the root of a new trace.
    [[nodiscard]] span begin_here(std::string name, span_kind kind,
                                  const std::optional<trace_parent>& otherwise = std::nullopt) const;

    /// Of something that has ended: its span began then.
    [[nodiscard]] span began(date_time at, instant steady, std::string name, span_kind kind,
                             const trace_parent* parent) const;

    /// Whether a span with that parent would be recorded.
    [[nodiscard]] bool takes(const trace_parent& parent) const noexcept {
        return which_.takes(&parent, parent.trace_id);
    }

    [[nodiscard]] const clock& time() const noexcept { return time_; }

private:
    friend class span;
    void finish(const finished_span& what) const noexcept;

    sampler which_;
    const clock& time_;
    base::random_source& random_;
    std::vector<span_sink> sinks_;
};

}  // namespace sluice::observe
