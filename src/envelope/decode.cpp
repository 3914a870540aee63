#include <charconv>
#include <limits>

#include <sluice/error.hpp>

#include "envelope/envelope.hpp"

namespace sluice::envelope {

namespace {

/// A string as it is, a number as its text; anything else counts as missing.
std::optional<std::string> text_of(const json::value* value) {
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return value->as_string();
    if (value->is_number()) return value->as_number().text;
    return std::nullopt;
}

std::optional<std::string> text_at(const json::value& object, std::string_view key) {
    return text_of(object.find(key));
}

std::optional<std::int64_t> integer_in(std::string_view text) {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc{} || stop != end) return std::nullopt;
    return number;
}

std::optional<std::int64_t> integer_at(const json::value& object, std::string_view key) {
    const auto text = text_at(object, key);
    return text ? integer_in(*text) : std::nullopt;
}

/// `2`, `"2"` and `"v2"` are version 2.
int version_at(const json::value& object) {
    auto text = text_at(object, "version").value_or("1");
    if (text.starts_with('v')) text.erase(0, 1);
    const auto version = integer_in(text).value_or(1);
    return version > 0 && version <= std::numeric_limits<int>::max() ? static_cast<int>(version) : 1;
}

int priority_at(const json::value& object) {
    const auto priority = integer_at(object, "priority").value_or(0);
    const bool fits = priority >= std::numeric_limits<int>::min() && priority <= std::numeric_limits<int>::max();
    return fits ? static_cast<int>(priority) : 0;
}

/// ISO 8601 text, or a number of seconds since 1970.
std::optional<date_time> time_of(const json::value* value) {
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) {
        const double micros = value->as_double() * 1e6;
        constexpr double limit = 9e18;
        if (!(micros > -limit && micros < limit)) return std::nullopt;
        return date_time::from_micros(static_cast<std::int64_t>(micros));
    }
    if (!value->is_string()) return std::nullopt;
    try {
        return date_time::parse(value->as_string());
    } catch (const decode_error&) {
        return std::nullopt;
    }
}

std::optional<trace_parent> trace_parent_of(const json::value* value) {
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return trace_parent::from_w3c(value->as_string());
    auto trace = text_at(*value, "trace_id");
    auto parent = text_at(*value, "parent_id");
    if (!trace || !parent) return std::nullopt;
    const auto* const sampled = value->find("sampled");
    const bool is_sampled = sampled != nullptr && sampled->is_bool() && sampled->as_bool();
    return trace_parent::from_w3c(trace_parent{std::move(*trace), std::move(*parent), is_sampled}.to_w3c());
}

/// The object under `key`, or `flat` itself: the legacy form had no sections.
const json::value& section(const json::value& flat, std::string_view key) {
    const auto* const found = flat.find(key);
    return found != nullptr && found->is_object() ? *found : flat;
}

message_headers headers_from(const json::value& source) {
    message_headers headers;
    headers.id = text_at(source, "id").value_or("");
    headers.time = time_of(source.find("time"));
    if (!headers.time) headers.time = time_of(source.find("timestamp"));
    headers.type = text_at(source, "type").value_or("");
    headers.stream = text_at(source, "stream").value_or("");
    headers.traceparent = trace_parent_of(source.find("traceparent"));
    headers.idempotency_key = text_at(source, "idempotency_key");
    headers.deadline = text_at(source, "deadline");
    return headers;
}

domain_metadata domain_from(const json::value& source) {
    domain_metadata domain;
    domain.fqn = text_at(source, "fqn").value_or("");
    domain.kind = source.string_or("kind", "EVENT") == "COMMAND" ? message_kind::command : message_kind::event;
    domain.origin_stream = text_at(source, "origin_stream");
    domain.stream_category = text_at(source, "stream_category").value_or("");
    domain.version = version_at(source);
    domain.sequence_id = text_at(source, "sequence_id");
    if (const auto* const flag = source.find("asynchronous"); flag != nullptr && flag->is_bool()) {
        domain.asynchronous = flag->as_bool();
    }
    domain.expected_version = integer_at(source, "expected_version");
    domain.priority = priority_at(source);
    domain.correlation_id = text_at(source, "correlation_id");
    domain.causation_id = text_at(source, "causation_id");
    return domain;
}

}  // namespace

message_metadata decode_metadata(const json::value& metadata) {
    if (!metadata.is_object()) {
        throw decode_error{std::string{"metadata is "} + json::to_string(metadata.kind()) + ", expected an object"};
    }
    message_metadata result;
    result.headers = headers_from(section(metadata, "headers"));
    result.domain = domain_from(section(metadata, "domain"));
    if (const auto* const envelope = metadata.find("envelope"); envelope != nullptr && envelope->is_object()) {
        result.specversion = envelope->string_or("specversion", "1.0");
        result.checksum = text_at(*envelope, "checksum");
    }
    if (const auto* const extensions = metadata.find("extensions"); extensions != nullptr && extensions->is_object()) {
        result.extensions = extensions->as_object();
    }
    return result;
}

}  // namespace sluice::envelope
