#include "broker/rabbitmq/close_reason.hpp"

#include <algorithm>

#include <amqp.h>

#include "base/one_line.hpp"

namespace sluice::broker::rabbitmq {
namespace {

constexpr std::size_t longest_reason = 250;

[[nodiscard]] bool mentions(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

std::string shown_reason(std::string_view text) { return base::one_line(text, longest_reason); }

std::string reason_code(std::uint16_t code, std::string_view text) {
    const auto word = text.substr(0, text.find(' '));
    constexpr std::size_t longest_word = 40;
    const bool is_word = !word.empty() && word.size() <= longest_word &&
                         std::ranges::all_of(word, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
    return is_word ? std::string{word} : std::to_string(code);
}

verdict verdict_on_close(std::uint16_t code, std::string_view text) {
    constexpr std::uint16_t first_server_error = 500;
    auto reason = shown_reason(text);
    if (code == AMQP_CONTENT_TOO_LARGE || (code == AMQP_PRECONDITION_FAILED && mentions(text, "message size"))) {
        return refused{std::move(reason), "message_too_big", true};
    }
    if (code == AMQP_ACCESS_REFUSED && mentions(text, "topic")) {
        return refused{.reason = std::move(reason), .code = reason_code(code, text), .stream_closed = true};
    }
    if (code == AMQP_NOT_FOUND || code == AMQP_ACCESS_REFUSED || code >= first_server_error) {
        return unreachable{std::move(reason)};
    }
    return refused{std::move(reason), reason_code(code, text), false};
}

}  // namespace sluice::broker::rabbitmq
