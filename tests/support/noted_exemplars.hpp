#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "observe/meter.hpp"
#include "observe/tracer.hpp"

namespace sluice::testing {

/// What a meter was told of an observation and its trace.
struct noted_exemplar {
    std::string trace_id{};
    std::string span_id{};
    duration value{};
    date_time at{};
};

/// Notes the exemplars of all counts, and the counts that have none.
///
/// Thread safety: all members may be called concurrently.
class noted_exemplars final : public observe::meter {
public:
    /// Counts for the tracer from now on.
    [[nodiscard]] static std::shared_ptr<noted_exemplars> of(observe::tracer& tracer) {
        auto made = std::make_shared<noted_exemplars>();
        tracer.count_with(made);
        return made;
    }

    void count(const observe::settled_rows& rows) noexcept override {
        if (rows.published > 0) note(rows.example);
    }
    void count(const observe::handled_message& message) noexcept override { note(message.example); }
    void count(const observe::breaker_change& /*change*/) noexcept override {}

    /// In the order of the counts; nothing for one without.
    [[nodiscard]] std::vector<std::optional<noted_exemplar>> all() const {
        const std::lock_guard lock{mutex_};
        return all_;
    }

private:
    void note(const std::optional<observe::exemplar>& example) {
        const std::lock_guard lock{mutex_};
        auto& noted = all_.emplace_back();
        if (!example) return;
        noted =
            noted_exemplar{std::string{example->trace_id}, std::string{example->span_id}, example->value, example->at};
    }

    mutable std::mutex mutex_;
    std::vector<std::optional<noted_exemplar>> all_;
};

}  // namespace sluice::testing
