#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

namespace sluice {

/// W3C trace context of the unit that raised a message. On the wire it is an object; readers take either.
///
/// Thread safety: a value type.
struct trace_parent {
    std::string trace_id;   ///< 32 hex digits
    std::string parent_id;  ///< 16 hex digits
    bool sampled = false;

    /// Reads `00-<32 hex>-<16 hex>-<2 hex>`; empty when the text is not of that form.
    [[nodiscard]] static std::optional<trace_parent> from_w3c(std::string_view text);
    [[nodiscard]] std::string to_w3c() const;
    friend bool operator==(const trace_parent&, const trace_parent&) = default;
};

/// `headers` of the wire format (docs/wire-format.md).
///
/// Thread safety: a value type.
struct message_headers {
    std::string id;
    std::optional<date_time> time{};
    std::string type;    ///< `Shop.OrderShipped.v1`
    std::string stream;  ///< `shop::order-o-1`
    std::optional<trace_parent> traceparent{};
    std::optional<std::string> idempotency_key{};
    std::optional<std::string> deadline{};
};

enum class message_kind { event, command };

/// `domain` of the wire format (docs/wire-format.md).
///
/// Thread safety: a value type.
struct domain_metadata {
    std::string fqn;
    message_kind kind = message_kind::event;
    std::optional<std::string> origin_stream{};
    std::string stream_category;
    int version = 1;
    std::optional<std::string> sequence_id{};
    bool asynchronous = true;
    std::optional<std::int64_t> expected_version{};
    int priority = 0;
    std::optional<std::string> correlation_id{};
    std::optional<std::string> causation_id{};
};

/// `metadata` of the wire format: everything about a message but its payload.
///
/// Thread safety: a value type.
struct message_metadata {
    message_headers headers;
    std::string specversion = "1.0";
    std::optional<std::string> checksum{};  ///< 64 hex digits over the canonical payload
    domain_metadata domain;
    json::object extensions;
};

}  // namespace sluice
