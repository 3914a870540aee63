#include "broker/rabbitmq/frame.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace sluice::broker::rabbitmq {
namespace {

constexpr std::size_t frame_head = 7;
constexpr char frame_end = '\xCE';
constexpr std::size_t longest_method = 16'384;
constexpr std::size_t properties_head = 12;  // class, weight, size of the body

template <class Number>
[[nodiscard]] Number number_at(std::string_view text, std::size_t at) noexcept {
    constexpr unsigned bits_of_byte = 8;
    Number number = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i) {
        number = static_cast<Number>((number << bits_of_byte) | static_cast<std::uint8_t>(text[at + i]));
    }
    return number;
}

template <class Number>
void append_number(std::string& to, Number number) {
    constexpr unsigned bits_of_byte = 8;
    for (std::size_t i = sizeof(Number); i > 0; --i) {
        to.push_back(static_cast<char>(static_cast<std::uint64_t>(number) >> ((i - 1) * bits_of_byte)));
    }
}

void append_frame(std::string& to, std::uint8_t type, std::uint16_t channel, std::string_view payload) {
    append_number(to, type);
    append_number(to, channel);
    append_number(to, static_cast<std::uint32_t>(payload.size()));
    to.append(payload);
    to.push_back(frame_end);
}

}  // namespace

void frame_reader::feed(std::string_view bytes) {
    if (taken_ > buffer_.size() / 2) {
        buffer_.erase(0, taken_);
        taken_ = 0;
    }
    buffer_.append(bytes);
}

std::optional<frame> frame_reader::next() {
    const auto rest = std::string_view{buffer_}.substr(taken_);
    if (rest.size() < frame_head) return std::nullopt;
    if (rest.starts_with("AMQP")) throw outage{"the server does not speak AMQP 0-9-1"};
    const auto type = number_at<std::uint8_t>(rest, 0);
    const auto size = number_at<std::uint32_t>(rest, 3);
    const bool known = type == AMQP_FRAME_METHOD || type == AMQP_FRAME_HEADER || type == AMQP_FRAME_BODY ||
                       type == AMQP_FRAME_HEARTBEAT;
    if (!known || size > largest_frame) throw outage{"what the server says is no AMQP"};
    if (rest.size() < size + frame_overhead) return std::nullopt;
    if (rest[frame_head + size] != frame_end) throw outage{"a frame of the server has no end"};
    taken_ += size + frame_overhead;
    return frame{.type = type, .channel = number_at<std::uint16_t>(rest, 1), .payload = rest.substr(frame_head, size)};
}

method method::read(std::string_view payload, decoding_pool& pool) {
    constexpr std::size_t number_size = 4;
    if (payload.size() < number_size) throw outage{"a method of the server has no number"};
    const auto number = number_at<amqp_method_number_t>(payload, 0);
    void* decoded = nullptr;
    const int status = amqp_decode_method(number, pool.get(), bytes_of(payload.substr(number_size)), &decoded);
    if (status < 0) throw outage{fmt::format("a method of the server cannot be read: {}", amqp_error_string2(status))};
    return {.number = number, .decoded = decoded};
}

void append_method(std::string& to, std::uint16_t channel, amqp_method_number_t number, void* fields) {
    std::array<char, longest_method> encoded;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
    const int size = amqp_encode_method(number, fields, {.len = encoded.size(), .bytes = encoded.data()});
    if (size < 0) throw outage{"a request is too large: shorten the names, the user or the password"};
    append_number(to, std::uint8_t{AMQP_FRAME_METHOD});
    append_number(to, channel);
    append_number(to, static_cast<std::uint32_t>(sizeof number + static_cast<std::size_t>(size)));
    append_number(to, number);
    to.append(encoded.data(), static_cast<std::size_t>(size));
    to.push_back(frame_end);
}

void append_heartbeat(std::string& to) { append_frame(to, AMQP_FRAME_HEARTBEAT, 0, {}); }

std::optional<std::string> encode_properties(amqp_basic_properties_t& properties, std::size_t body_size,
                                             std::size_t frame_max) {
    constexpr std::size_t usual_size = 2'048;
    std::string payload;
    append_number(payload, std::uint16_t{AMQP_BASIC_CLASS});
    append_number(payload, std::uint16_t{0});
    append_number(payload, std::uint64_t{body_size});
    const std::size_t most = frame_max - frame_overhead;
    for (std::size_t room = std::min(usual_size, most);; room = most) {
        payload.resize(room);
        const int size = amqp_encode_properties(
            AMQP_BASIC_CLASS, &properties, {.len = room - properties_head, .bytes = payload.data() + properties_head});
        if (size >= 0) {
            payload.resize(properties_head + static_cast<std::size_t>(size));
            return payload;
        }
        if (room == most) return std::nullopt;
    }
}

void append_content(std::string& to, std::uint16_t channel, std::string_view header, std::string_view body,
                    std::size_t frame_max) {
    append_frame(to, AMQP_FRAME_HEADER, channel, header);
    while (!body.empty()) {
        const auto part = body.substr(0, frame_max - frame_overhead);
        append_frame(to, AMQP_FRAME_BODY, channel, part);
        body.remove_prefix(part.size());
    }
}

}  // namespace sluice::broker::rabbitmq
