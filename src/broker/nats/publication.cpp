#include "broker/nats/publication.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/fingerprint.hpp"
#include "base/names.hpp"
#include "broker/nats/subject.hpp"
#include "broker/partner_name.hpp"
#include "envelope/content.hpp"
#include "envelope/percent_header.hpp"

namespace sluice::broker::nats {
namespace {

bool begins_with_name(std::string_view name, std::string_view beginning) {
    return base::is_same_but_for_case(name.substr(0, beginning.size()), beginning);
}

/// An attribute in the binary mode of CloudEvents; its text is percent-encoded at NATS.
bool is_cloudevents(std::string_view name) { return begins_with_name(name, "ce-"); }

}  // namespace

std::size_t publication::head_bytes() const {
    constexpr std::size_t frame = std::string_view{"NATS/1.0\r\n\r\n"}.size();
    constexpr std::size_t per_header = std::string_view{": \r\n"}.size();
    std::size_t sum = frame;
    for (const envelope::header& each : head) sum += each.name.size() + each.value.size() + per_header;
    return sum;
}

std::variant<publication, refused> publication_of(const outgoing& message, std::string_view server_id,
                                                  std::string_view expect_stream) {
    publication made{.subject = partner_name(message.stream), .head = {}};
    std::string problem = problem_of_subject(made.subject);
    if (!problem.empty()) return refused{std::move(problem), "bad_subject", true};

    const auto add = [&](std::string_view name, std::string_view value) {
        if (value.empty()) return;
        if (problem.empty()) problem = problem_of_header(name, value);
        made.head.push_back({.name = std::string{name}, .value = std::string{value}});
    };
    add(id_header, server_id);
    add(expected_stream_header, expect_stream);
    add(key_header, message.key);
    add(content_type_header, message.content_type);
    for (const envelope::header& each : message.head) {
        add(each.name, is_cloudevents(each.name) ? envelope::percent_encoded(each.value) : each.value);
    }
    if (!problem.empty()) {
        return refused{fmt::format("message {}: {}", message.message_id, problem), "bad_header", true};
    }
    return made;
}

std::string other_server_id(const outgoing& message, int attempt) {
    const auto content = base::fingerprint(envelope::copy_key(message.body));
    const auto subject = base::fingerprint(message.stream);
    const std::string id = fmt::format("{}~{:016x}{:016x}", message.message_id, content, subject);
    return attempt == 1 ? id : fmt::format("{}~{}", id, attempt);
}

std::string_view own_id_of(std::string_view server_id) {
    constexpr std::size_t digits = 32;
    const auto begins_suffix = [&](std::size_t tilde) {
        const auto rest = server_id.substr(tilde + 1);
        const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
        return rest.size() >= digits && std::ranges::all_of(rest.substr(0, digits), is_digit) &&
               (rest.size() == digits || rest[digits] == '~');
    };
    // Behind the digits is nothing or one more part.
    auto tilde = server_id.rfind('~');
    for (int part = 0; part < 2 && tilde != std::string_view::npos && tilde > 0; ++part) {
        if (begins_suffix(tilde)) return server_id.substr(0, tilde);
        tilde = server_id.rfind('~', tilde - 1);
    }
    return server_id;
}

void read_published_head(const envelope::header_list& from, std::string& key, std::string& content_type,
                         envelope::header_list& rest) {
    constexpr std::string_view servers_own = "nats-";
    for (const envelope::header& each : from) {
        if (base::is_same_but_for_case(each.name, key_header)) {
            key = each.value;
        } else if (base::is_same_but_for_case(each.name, content_type_header)) {
            content_type = each.value;
        } else if (is_cloudevents(each.name)) {
            // What is not encoded well stays as it came.
            rest.push_back({.name = each.name, .value = envelope::percent_decoded(each.value).value_or(each.value)});
        } else if (!begins_with_name(each.name, servers_own)) {
            rest.push_back(each);
        }
    }
}

}  // namespace sluice::broker::nats
