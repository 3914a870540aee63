#include "broker/rabbitmq/content.hpp"

#include <algorithm>

namespace sluice::broker::rabbitmq {
namespace {

[[nodiscard]] bool carries_message(amqp_method_number_t number) noexcept {
    return number == AMQP_BASIC_DELIVER_METHOD || number == AMQP_BASIC_RETURN_METHOD ||
           number == AMQP_BASIC_GET_OK_METHOD;
}

/// Memory for a body is taken as it comes: its announced size is only a claim.
constexpr std::uint64_t most_in_advance = 1 << 20;

}  // namespace

bool content_reader::take(const frame& next) {
    switch (state_) {
        case expecting::method:
            take_method(next);
            break;
        case expecting::header:
            take_header(next);
            break;
        case expecting::body:
            take_body(next);
            break;
    }
    return state_ == expecting::method;
}

void content_reader::take_method(const frame& next) {
    if (next.type != AMQP_FRAME_METHOD) throw outage{"the server sends a message without saying which"};
    pool_.recycle();
    method_payload_.assign(next.payload);
    current_.body.clear();
    current_.properties = nullptr;
    current_.what = method::read(method_payload_, pool_);
    if (carries_message(current_.what.number)) state_ = expecting::header;
}

void content_reader::take_header(const frame& next) {
    constexpr std::size_t size_at = 4;
    constexpr std::size_t properties_at = 12;
    if (next.type != AMQP_FRAME_HEADER || next.payload.size() < properties_at) {
        throw outage{"a message of the server has no header"};
    }
    header_payload_.assign(next.payload);
    missing_ = 0;
    for (std::size_t i = size_at; i < properties_at; ++i) {
        missing_ = (missing_ << 8U) | static_cast<std::uint8_t>(header_payload_[i]);
    }
    void* decoded = nullptr;
    const int status = amqp_decode_properties(
        AMQP_BASIC_CLASS, pool_.get(), bytes_of(std::string_view{header_payload_}.substr(properties_at)), &decoded);
    if (status < 0) throw outage{"the properties of a message cannot be read"};
    current_.properties = static_cast<const amqp_basic_properties_t*>(decoded);
    current_.body.reserve(static_cast<std::size_t>(std::min(missing_, most_in_advance)));
    state_ = missing_ == 0 ? expecting::method : expecting::body;
}

void content_reader::take_body(const frame& next) {
    if (next.type != AMQP_FRAME_BODY || next.payload.size() > missing_) {
        throw outage{"a message of the server is not as long as it says"};
    }
    current_.body.append(next.payload);
    missing_ -= next.payload.size();
    if (missing_ == 0) state_ = expecting::method;
}

}  // namespace sluice::broker::rabbitmq
