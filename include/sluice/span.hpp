#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include <sluice/metadata.hpp>
#include <sluice/time.hpp>

namespace sluice {

/// What a span is to others, in OpenTelemetry's terms.
enum class span_kind { internal, server, client, producer, consumer };
/// `internal`, `server`, `client`, `producer`, `consumer`.
[[nodiscard]] const char* to_string(span_kind kind) noexcept;

using span_value = std::variant<std::string, std::int64_t, double, bool>;

/// A key of OpenTelemetry's semantic conventions (`messaging.system`) or one of Sluice's own, and its value.
///
/// Thread safety: a value type.
struct span_attribute {
    std::string key{};
    span_value value{};
};

/// A piece of work that has ended, as OpenTelemetry has them: docs/observability.md names all that there are. No
/// payload is carried: it may hold personal data.
///
/// Thread safety: a value type.
struct finished_span {
    trace_parent context{};   ///< what follows from it names as its parent: the trace, and the span's own id
    std::string parent_id{};  ///< 16 hex digits; empty at the root of a trace
    std::string name{};       ///< `publish shop::order`
    span_kind kind = span_kind::internal;
    date_time begin{};
    duration took{};
    std::vector<span_attribute> attributes{};
    std::vector<trace_parent> links{};  ///< other spans that it has to do with
    std::size_t dropped_links = 0;      ///< beyond the first 128
    bool failed = false;
    std::string error{};  ///< one line, when it failed
};

/// Receives each sampled span when it ends, on the thread that did the work, possibly on several at once: be quick and
/// thread safe. What it throws is dropped; it never disturbs the work that is traced.
using span_sink = std::function<void(const finished_span&)>;

}  // namespace sluice
