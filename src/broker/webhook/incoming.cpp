#include "broker/webhook/incoming.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/address_text.hpp"
#include "base/one_line.hpp"
#include "base/utf8.hpp"
#include "broker/webhook/signature.hpp"
#include "envelope/percent_header.hpp"

namespace sluice::broker::webhook {
namespace {

constexpr std::string_view id_header = "webhook-id";
constexpr std::string_view timestamp_header = "webhook-timestamp";
constexpr std::string_view signature_header = "webhook-signature";
constexpr std::string_view key_header = "sluice-key";
constexpr std::string_view content_type_header = "content-type";

/// Of several the first: that there is one is known.
std::string_view value_of(const envelope::header_list& headers, std::string_view name) {
    const auto found = std::ranges::find(headers, name, &envelope::header::name);
    return found == headers.end() ? std::string_view{} : std::string_view{found->value};
}

bool is_of_cloud_event(std::string_view name) { return name.starts_with("ce-"); }

/// Those of a lane, which are encoded alike; somebody else may mean something else by them.
bool is_of_lane(std::string_view name) {
    constexpr std::array<std::string_view, 5> ours{"id", "type", "time", "traceparent", "correlation_id"};
    return std::ranges::find(ours, name) != ours.end();
}

/// What is about the connection, or lets somebody in, stays outside.
bool is_kept(std::string_view name) {
    constexpr std::array<std::string_view, 14> left_out{"accept",         "accept-encoding",
                                                        "authorization",  "connection",
                                                        "content-length", "cookie",
                                                        "expect",         "host",
                                                        "keep-alive",     "te",
                                                        "trailer",        "transfer-encoding",
                                                        "user-agent",     "proxy-authorization"};
    return name != signature_header && name != timestamp_header && name != key_header && name != content_type_header &&
           std::ranges::find(left_out, name) == left_out.end();
}

/// May stand once, and in visible characters, as its meaning rests on it.
bool matters(std::string_view name) {
    return name.starts_with("webhook-") || name == key_header || name == content_type_header ||
           is_of_cloud_event(name) || is_of_lane(name);
}

bool is_visible_line(std::string_view value) {
    return std::ranges::all_of(value, [](char each) { return each >= ' ' && each <= '~'; });
}

std::optional<turned_down> objection_to_headers(const envelope::header_list& headers) {
    constexpr std::size_t most_id_bytes = 512;
    for (auto each = headers.begin(); each != headers.end(); ++each) {
        if (!matters(each->name)) continue;
        if (!is_visible_line(each->value)) {
            return turned_down{
                400, fmt::format("header {} has characters that are not visible ASCII", base::one_line(each->name))};
        }
        if (std::find_if(std::next(each), headers.end(), [&](const auto& other) { return other.name == each->name; }) !=
            headers.end()) {
            return turned_down{400, fmt::format("header {} stands there twice", base::one_line(each->name))};
        }
    }
    for (const auto name : {id_header, timestamp_header, signature_header}) {
        if (value_of(headers, name).empty()) return turned_down{400, fmt::format("header {} is missing", name)};
    }
    if (value_of(headers, id_header).size() > most_id_bytes) {
        return turned_down{400, fmt::format("webhook-id has more than {} bytes", most_id_bytes)};
    }
    return std::nullopt;
}

/// Headers for whoever handles the message; nothing when one cannot be decoded.
std::optional<envelope::header_list> kept_headers(const envelope::header_list& headers) {
    envelope::header_list kept;
    for (const auto& [name, value] : headers) {
        if (!is_kept(name)) continue;
        const bool is_encoded = is_of_cloud_event(name) || is_of_lane(name);
        auto text = is_encoded ? envelope::percent_decoded(value) : std::optional{value};
        if (!text && is_of_cloud_event(name)) return std::nullopt;
        kept.push_back({.name = name, .value = std::move(text).value_or(value)});
    }
    return kept;
}

}  // namespace

std::string stream_of(std::string_view target, const receiving_terms& terms) {
    if (!terms.stream.empty()) return terms.stream;
    const auto path = target.substr(0, target.find('?'));
    const auto slash = path.rfind('/');
    if (slash == std::string_view::npos) return {};
    auto name = base::percent_decoded(path.substr(slash + 1));
    return base::is_storable(name) ? name : std::string{};
}

std::optional<turned_down> why_not_read(const incoming_head& head, const receiving_terms& terms) {
    if (head.method != "POST") return turned_down{405, "messages are posted"};
    if (auto no = objection_to_headers(head.headers)) return no;
    const auto encoding = value_of(head.headers, "content-encoding");
    if (!encoding.empty() && encoding != "identity") return turned_down{415, "bodies are taken as they are, unpacked"};
    const auto stream = stream_of(head.target, terms);
    if (stream.empty()) return turned_down{404, "the last part of the path must name a stream"};
    return terms.objection_to(stream);
}

std::variant<received_message, turned_down> receive(const incoming_head& head, std::string body,
                                                    const receiving_terms& terms, date_time now) {
    const auto id = value_of(head.headers, id_header);
    if (const auto no = why_not_genuine(id, value_of(head.headers, timestamp_header),
                                        value_of(head.headers, signature_header), body, terms.keys, now)) {
        return turned_down{401, std::string{*no}};
    }
    if (body.empty()) return turned_down{422, "the body is empty"};
    auto key = envelope::percent_decoded(value_of(head.headers, key_header));
    if (key && key->empty()) key = envelope::percent_decoded(value_of(head.headers, "ce-partitionkey"));
    auto kept = kept_headers(head.headers);
    if (!key || !kept) return turned_down{400, "a header is not percent-encoded UTF-8"};
    return received_message{.stream = stream_of(head.target, terms),
                            .id = std::string{id},
                            .key = *std::move(key),
                            .body = std::move(body),
                            .head = *std::move(kept),
                            .content_type = std::string{value_of(head.headers, content_type_header)}};
}

}  // namespace sluice::broker::webhook
