#include "broker/rabbitmq/message_properties.hpp"

#include <optional>

namespace sluice::broker::rabbitmq {
namespace {

constexpr std::uint8_t persistent = 2;
constexpr std::string_view attribute = "ce-";
constexpr std::string_view attribute_here = "cloudEvents:";
/// The later text of the binding has this, for Java's messaging services, which take no colon.
constexpr std::string_view attribute_there = "cloudEvents_";

[[nodiscard]] std::string name_of(std::string_view header) {
    for (const auto prefix : {attribute_here, attribute_there}) {
        if (header.starts_with(prefix)) return std::string{attribute}.append(header.substr(prefix.size()));
    }
    return std::string{header};
}

[[nodiscard]] amqp_table_entry_t text_header(std::string_view name, std::string_view value) noexcept {
    return {.key = bytes_of(name), .value = {.kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = bytes_of(value)}}};
}

/// Nothing for tables, lists, binary fractions and the like.
[[nodiscard]] std::optional<std::string> text_in(const amqp_field_value_t& from) {
    switch (from.kind) {
        case AMQP_FIELD_KIND_UTF8:
        case AMQP_FIELD_KIND_BYTES:
            return std::string{text_of(from.value.bytes)};
        case AMQP_FIELD_KIND_BOOLEAN:
            return from.value.boolean != 0 ? "true" : "false";
        case AMQP_FIELD_KIND_I8:
            return std::to_string(from.value.i8);
        case AMQP_FIELD_KIND_U8:
            return std::to_string(from.value.u8);
        case AMQP_FIELD_KIND_I16:
            return std::to_string(from.value.i16);
        case AMQP_FIELD_KIND_U16:
            return std::to_string(from.value.u16);
        case AMQP_FIELD_KIND_I32:
            return std::to_string(from.value.i32);
        case AMQP_FIELD_KIND_U32:
            return std::to_string(from.value.u32);
        case AMQP_FIELD_KIND_I64:
            return std::to_string(from.value.i64);
        case AMQP_FIELD_KIND_U64:
        case AMQP_FIELD_KIND_TIMESTAMP:
            return std::to_string(from.value.u64);
        default:
            return std::nullopt;
    }
}

}  // namespace

message_properties::message_properties(const outgoing& of) {
    headers_.reserve(of.head.size() + 1);
    for (const auto& each : of.head) {
        if (!each.name.starts_with(attribute)) {
            headers_.push_back(text_header(each.name, each.value));
            continue;
        }
        names_.push_back(std::string{attribute_here}.append(each.name, attribute.size()));
        headers_.push_back(text_header(names_.back(), each.value));
    }
    if (!of.key.empty()) headers_.push_back(text_header(key_header, of.key));
    properties_._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_HEADERS_FLAG;
    properties_.delivery_mode = persistent;
    properties_.message_id = bytes_of(of.message_id);
    properties_.headers = {.num_entries = static_cast<int>(headers_.size()), .entries = headers_.data()};
    if (!of.content_type.empty()) {
        properties_._flags |= AMQP_BASIC_CONTENT_TYPE_FLAG;
        properties_.content_type = bytes_of(of.content_type);
    }
}

read_headers headers_of(const amqp_basic_properties_t* properties) {
    read_headers found;
    if (properties == nullptr) return found;
    if ((properties->_flags & AMQP_BASIC_CONTENT_TYPE_FLAG) != 0)
        found.content_type = text_of(properties->content_type);
    if ((properties->_flags & AMQP_BASIC_HEADERS_FLAG) == 0) return found;
    for (int i = 0; i < properties->headers.num_entries; ++i) {
        const auto& each = properties->headers.entries[i];
        auto value = text_in(each.value);
        if (!value) continue;
        if (text_of(each.key) == key_header) {
            found.key = *std::move(value);
        } else {
            found.head.push_back({.name = name_of(text_of(each.key)), .value = *std::move(value)});
        }
    }
    return found;
}

}  // namespace sluice::broker::rabbitmq
