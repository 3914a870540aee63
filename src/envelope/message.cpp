#include <array>
#include <utility>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

#include "envelope/cloud_event.hpp"
#include "envelope/envelope.hpp"

namespace sluice {

namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos; }

/// @returns `raw`, which is an object with a payload
json::value require_payload(json::value raw) {
    if (!raw.is_object()) {
        throw decode_error{std::string{"the message is JSON of kind "} + json::to_string(raw.kind()) +
                           ", expected an object with \"data\" and \"metadata\""};
    }
    const auto* const data = raw.find("data");
    if (data == nullptr) throw decode_error{"the message has no \"data\""};
    if (!data->is_object()) {
        throw decode_error{std::string{"\"data\" of the message is "} + json::to_string(data->kind()) +
                           ", expected an object"};
    }
    return raw;
}

/// Whoever puts no headers under `metadata` has id, time, type and stream at the top.
void fill_from_top(message_headers& headers, const json::value& raw) {
    const auto top = envelope::decode_metadata(raw).headers;
    if (headers.id.empty()) headers.id = top.id;
    if (headers.type.empty()) headers.type = top.type;
    if (headers.stream.empty()) headers.stream = top.stream;
    if (!headers.time) headers.time = top.time;
}

message_metadata metadata_of(const json::value& raw) {
    const auto* const found = raw.find("metadata");
    auto metadata = found != nullptr && found->is_object() ? envelope::decode_metadata(*found) : message_metadata{};
    const bool has_headers = found != nullptr && found->find("headers") != nullptr;
    if (!has_headers) fill_from_top(metadata.headers, raw);
    return metadata;
}

void verify_checksum(const message_metadata& metadata, const json::value& data) {
    if (!metadata.checksum) return;
    if (*metadata.checksum != envelope::checksum_of(data)) {
        throw decode_error{"checksum mismatch in message " + metadata.headers.id +
                           ": the payload is not the one that was raised"};
    }
}

std::optional<std::string> correlation_in(const json::value& raw, const message_metadata& metadata) {
    const auto* const flat = raw.find("metadata");
    const std::array candidates{metadata.domain.correlation_id.value_or(""),
                                flat != nullptr ? flat->string_or("correlation_id", "") : std::string{},
                                raw.string_or("correlation_id", "")};
    for (const auto& candidate : candidates) {
        if (!is_blank(candidate)) return candidate;
    }
    return std::nullopt;
}

}  // namespace

struct message::content {
    /// @param of  with a payload
    content(json::value of, message_metadata said)
        : raw{std::move(of)},
          data{raw.find("data")},
          metadata{std::move(said)},
          type{metadata.headers.type},
          correlation_id{correlation_in(raw, metadata)} {
        verify_checksum(metadata, *data);
    }
    content(const content&) = delete;  // `data` points into `raw`
    content& operator=(const content&) = delete;

    json::value raw;
    const json::value* data;
    message_metadata metadata;
    message_type type;
    std::optional<std::string> correlation_id;
};

message message::decode(std::string_view body) {
    json::value raw = json::parse(body);
    if (envelope::is_cloud_event(raw)) return from_cloud_event(std::move(raw));
    raw = require_payload(std::move(raw));
    message_metadata metadata = metadata_of(raw);
    return message{std::make_shared<const content>(std::move(raw), std::move(metadata))};
}

message message::from_cloud_event(json::value event) {
    event = require_payload(std::move(event));
    message_metadata metadata = envelope::metadata_of_cloud_event(event);
    return message{std::make_shared<const content>(std::move(event), std::move(metadata))};
}

message message::with_data(json::value data) const {
    message other{*this};
    other.data_ = std::make_shared<const json::value>(std::move(data));
    return other;
}

const std::string& message::id() const noexcept { return content_->metadata.headers.id; }
const message_type& message::type() const noexcept { return content_->type; }
const json::value& message::data() const noexcept { return data_ ? *data_ : *content_->data; }
const message_metadata& message::metadata() const noexcept { return content_->metadata; }
const std::optional<std::string>& message::correlation_id() const noexcept { return content_->correlation_id; }
const json::value& message::raw() const noexcept { return content_->raw; }

}  // namespace sluice
