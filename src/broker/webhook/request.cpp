#include "broker/webhook/request.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <sluice/version.hpp>

#include "base/names.hpp"
#include "base/one_line.hpp"
#include "broker/webhook/message_id.hpp"
#include "broker/webhook/signature.hpp"
#include "envelope/percent_header.hpp"

namespace sluice::broker::webhook {
namespace {

constexpr char first_visible = '!';
constexpr char last_visible = '~';
constexpr std::string_view usual_content_type = "application/json";

bool is_token(std::string_view name) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::ranges::all_of(name, [&](char each) {
        return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
               marks.find(each) != std::string_view::npos;
    });
}

/// What the request itself says; a message may not say it otherwise.
bool is_of_request(std::string_view name) {
    constexpr std::array<std::string_view, 10> taken{
        "authorization", "connection", "content-length", "content-type",      "expect",
        "host",          "te",         "trailer",        "transfer-encoding", "upgrade"};
    const std::string lower = base::lower(name);
    return lower.starts_with("webhook-") || lower == "sluice-key" || std::ranges::find(taken, lower) != taken.end();
}

bool is_line(std::string_view value) {
    return std::ranges::all_of(
        value, [](char each) { return each == ' ' || (each >= first_visible && each <= last_visible); });
}

refused refusal(std::string reason, std::string code) {
    return {.reason = std::move(reason), .code = std::move(code), .permanent = true};
}

void append_header(std::string& to, std::string_view name, std::string_view value) {
    to.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::optional<refused> why_not_sent(const outgoing& message) {
    constexpr std::size_t most_head_bytes = std::size_t{16} << 10U;
    constexpr std::size_t shown = 60;
    std::size_t bytes = message.message_id.size() + message.stream.size() + message.key.size();
    for (const auto& each : message.head) {
        if (!is_token(each.name)) {
            return refusal(fmt::format("message {} has a header `{}`, which is no name of a header of HTTP",
                                       message.message_id, base::one_line(each.name, shown)),
                           "header_name");
        }
        if (is_of_request(each.name)) {
            return refusal(fmt::format("message {} has a header `{}`, which belongs to the request itself",
                                       message.message_id, each.name),
                           "header_name");
        }
        bytes += each.name.size() + each.value.size();
    }
    if (!is_line(message.content_type)) {
        return refusal(
            fmt::format("the content type of message {} is no line of visible characters", message.message_id),
            "content_type");
    }
    if (bytes > most_head_bytes) {
        return refusal(fmt::format("id, key and headers of message {} have {} bytes; endpoints take at most {}",
                                   message.message_id, bytes, most_head_bytes),
                       "headers_too_big");
    }
    return std::nullopt;
}

std::string request_head(const outgoing& message, const request_terms& terms, date_time now) {
    const std::string id = webhook_id(message.message_id);
    const std::string timestamp = timestamp_text(now);
    std::string text = "POST " + terms.to.target(message.stream) + " HTTP/1.1\r\n";
    append_header(text, "Host", terms.to.authority());
    append_header(text, "User-Agent", "sluice/" SLUICE_VERSION);
    append_header(text, "Content-Type", message.content_type.empty() ? usual_content_type : message.content_type);
    append_header(text, "Content-Length", std::to_string(message.body.size()));
    append_header(text, "webhook-id", id);
    append_header(text, "webhook-timestamp", timestamp);
    if (!terms.keys.empty()) append_header(text, "webhook-signature", sign(id, timestamp, message.body, terms.keys));
    if (!terms.authorization.empty()) append_header(text, "Authorization", terms.authorization);
    if (!message.key.empty()) append_header(text, "sluice-key", envelope::percent_encoded(message.key));
    for (const auto& each : message.head) append_header(text, each.name, envelope::percent_encoded(each.value));
    return text + "\r\n";
}

}  // namespace sluice::broker::webhook
