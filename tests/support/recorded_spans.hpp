#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sluice/span.hpp>

#include "observe/span_source.hpp"
#include "observe/tracer.hpp"

namespace sluice::testing {

/// The spans of a tracer. Lifetime: it must outlive those that work with the tracer.
///
/// Thread safety: all members may be called concurrently.
class recorded_spans {
public:
    /// @param time, random  used by the tracer from now on
    recorded_spans(observe::tracer& of, const clock& time, base::random_source& random,
                   observe::sampler::rule rule = observe::sampler::rule::always_on) {
        of.record_with(std::make_shared<observe::span_source>(observe::sampler{rule, true}, time, random,
                                                              std::vector<span_sink>{[this](const finished_span& each) {
                                                                  const std::lock_guard lock{mutex_};
                                                                  ended_.push_back(each);
                                                              }}),
                       nullptr);
    }

    [[nodiscard]] std::vector<finished_span> all() const {
        const std::lock_guard lock{mutex_};
        return ended_;
    }
    [[nodiscard]] std::vector<finished_span> named(const std::string& name) const {
        std::vector<finished_span> found = all();
        std::erase_if(found, [&](const finished_span& each) { return each.name != name; });
        return found;
    }
    void forget() {
        const std::lock_guard lock{mutex_};
        ended_.clear();
    }

private:
    mutable std::mutex mutex_;
    std::vector<finished_span> ended_;
};

/// A text of a span; nothing when it has none.
[[nodiscard]] inline std::optional<std::string> text_of(const finished_span& span, const std::string& key) {
    const auto found = std::ranges::find(span.attributes, key, &span_attribute::key);
    if (found == span.attributes.end()) return std::nullopt;
    const auto* const text = std::get_if<std::string>(&found->value);
    return text == nullptr ? std::nullopt : std::optional{*text};
}

}  // namespace sluice::testing
