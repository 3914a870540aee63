#include <sluice/trace.hpp>

#include <cmath>

namespace sluice {

namespace {

json::value text_or_null(const std::string& text) { return text.empty() ? json::value{} : json::value{text}; }

json::value text_or_null(const std::optional<std::string>& text) { return text ? json::value{*text} : json::value{}; }

json::value rounded(const std::optional<double>& milliseconds) {
    return milliseconds ? json::value{std::round(*milliseconds * 100) / 100} : json::value{};
}

}  // namespace

json::value to_json(const trace_event& event) {
    return json::object{{"event", event.event},
                        {"domain", event.domain},
                        {"stream", event.stream},
                        {"message_id", event.message_id},
                        {"message_type", event.message_type},
                        {"status", event.status},
                        {"handler", text_or_null(event.handler)},
                        {"duration_ms", rounded(event.duration_ms)},
                        {"error", text_or_null(event.error)},
                        {"metadata", event.metadata},
                        {"worker_id", text_or_null(event.worker_id)},
                        {"broker", text_or_null(event.broker)},
                        {"correlation_id", text_or_null(event.correlation_id)},
                        {"causation_id", text_or_null(event.causation_id)},
                        {"timestamp", event.timestamp.to_string()}};
}

}  // namespace sluice
