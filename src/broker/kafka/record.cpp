#include "broker/kafka/record.hpp"

#include <string>
#include <string_view>

namespace sluice::broker::kafka {
namespace {

constexpr std::string_view type_header = "content-type";
// CloudEvents names its attributes so in Kafka (Kafka protocol binding 1.0.2).
constexpr std::string_view our_attribute = "ce-";
constexpr std::string_view their_attribute = "ce_";

std::string their_name(std::string_view name) {
    if (!name.starts_with(our_attribute)) return std::string{name};
    return std::string{their_attribute}.append(name.substr(our_attribute.size()));
}

std::string our_name(std::string_view name) {
    if (!name.starts_with(their_attribute)) return std::string{name};
    return std::string{our_attribute}.append(name.substr(their_attribute.size()));
}

void add(rd_kafka_headers_t* to, std::string_view name, std::string_view value) {
    rd_kafka_header_add(to, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
}

headers_handle headers_of(const outgoing& message) {
    if (message.head.empty() && message.content_type.empty()) return nullptr;
    headers_handle all{rd_kafka_headers_new(message.head.size() + 1)};
    for (const auto& each : message.head) add(all.get(), their_name(each.name), each.value);
    if (!message.content_type.empty()) add(all.get(), type_header, message.content_type);
    return all;
}

}  // namespace

std::size_t record_bytes(const outgoing& message) {
    constexpr std::size_t around_batch = 100;
    constexpr std::size_t around_header = 10;
    std::size_t bytes = around_batch + message.key.size() + message.body.size();
    for (const auto& each : message.head) bytes += each.name.size() + each.value.size() + around_header;
    if (!message.content_type.empty()) bytes += type_header.size() + message.content_type.size() + around_header;
    return bytes;
}

rd_kafka_resp_err_t produce(rd_kafka_t* by, rd_kafka_topic_t* to, const outgoing& message, std::uint64_t ticket) {
    auto headers = headers_of(message);
    // The library copies the texts, and only reads them before; its interface knows no const.
    auto* const body = const_cast<char*>(message.body.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    const char* const key = message.key.empty() ? nullptr : message.key.data();
    auto* const opaque = reinterpret_cast<void*>(ticket);  // NOLINT: it is no address, and never read as one
    // Not by its macros, which are no C++; and not by rd_kafka_produceva, which frees headers twice after an error.
    const auto error = rd_kafka_producev(  // NOLINT(cppcoreguidelines-pro-type-vararg)
        by, RD_KAFKA_VTYPE_RKT, to, RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY, RD_KAFKA_VTYPE_VALUE, body,
        message.body.size(), RD_KAFKA_VTYPE_KEY, key, message.key.size(), RD_KAFKA_VTYPE_HEADERS, headers.get(),
        RD_KAFKA_VTYPE_OPAQUE, opaque, RD_KAFKA_VTYPE_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) static_cast<void>(headers.release());  // the client's now
    return error;
}

std::uint64_t ticket_of(const rd_kafka_message_t& report) noexcept {
    return reinterpret_cast<std::uintptr_t>(report._private);  // NOLINT: see produce
}

void read_record(const rd_kafka_message_t& record, delivery& into) {
    into.body.assign(static_cast<const char*>(record.payload), record.len);
    if (record.key != nullptr) into.key.assign(static_cast<const char*>(record.key), record.key_len);
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&record, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        const std::string_view text{value == nullptr ? "" : static_cast<const char*>(value),
                                    value == nullptr ? 0 : size};
        if (std::string_view{name} == type_header) {
            into.content_type = text;
        } else {
            into.head.push_back({.name = our_name(name), .value = std::string{text}});
        }
    }
}

}  // namespace sluice::broker::kafka
