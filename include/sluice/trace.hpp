#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/json.hpp>
#include <sluice/metadata.hpp>
#include <sluice/time.hpp>

namespace sluice {

/// One step in the life of a message. No payload is carried: it may hold personal data.
///
/// Thread safety: a value type.
struct trace_event {
    std::string event;   ///< outbox.published, handler.started, message.dlq, …
    std::string domain;  ///< domain name as given
    std::string stream;
    std::string message_id;
    std::string message_type;
    std::string status;  ///< ok, error, retry
    std::string handler;
    std::optional<double> duration_ms{};
    std::string error;
    json::object metadata{};
    std::string worker_id;
    std::string broker;
    std::optional<std::string> correlation_id{};
    std::optional<std::string> causation_id{};
    date_time timestamp{};
    std::optional<trace_parent> traceparent{};  ///< of the work that it tells of, else of the message
};

/// The trace record as one JSON object.
[[nodiscard]] json::value to_json(const trace_event& event);

/// Receives trace events inside the process. Called from lane and subscription threads, possibly at once: be quick and
/// thread safe. What it throws is logged and dropped; it never disturbs the work that is traced.
using trace_subscriber = std::function<void(const trace_event&)>;

}  // namespace sluice
