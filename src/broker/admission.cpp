#include "broker/admission.hpp"

#include <fmt/format.h>

namespace sluice::broker {

std::optional<verdict> admission::check(const outgoing& message) {
    if (held_back_.contains(message.key)) {
        return unreachable{fmt::format("held back: an earlier message of {} was not delivered", message.key)};
    }
    if (auto no = objection(message)) {
        hold_back(message);
        return *std::move(no);
    }
    return std::nullopt;
}

void admission::hold_back(const outgoing& message) {
    if (!message.key.empty()) held_back_.insert(message.key);
}

std::optional<refused> admission::objection(const outgoing& message) const {
    if (message.stream.empty()) {
        return refused{fmt::format("message {} names no stream", message.message_id), "no_stream", true};
    }
    if (message.message_id.empty()) {
        return refused{fmt::format("a message for stream {} has no id", message.stream), "no_message_id", true};
    }
    if (message.body.empty()) {
        return refused{fmt::format("message {} has an empty body", message.message_id), "empty_message", true};
    }
    if (max_message_bytes_ != 0 && message.body.size() > max_message_bytes_) {
        return refused{fmt::format("message {} has {} bytes; this broker takes at most {}", message.message_id,
                                   message.body.size(), max_message_bytes_),
                       "message_too_big", true};
    }
    return std::nullopt;
}

}  // namespace sluice::broker
