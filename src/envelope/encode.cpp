#include <algorithm>
#include <charconv>
#include <initializer_list>

#include <sluice/error.hpp>

#include "envelope/cloud_event.hpp"
#include "envelope/envelope.hpp"
#include "envelope/object_writer.hpp"
#include "envelope/redaction.hpp"
#include "envelope/stored_form.hpp"
#include "envelope/version_suffix.hpp"

namespace sluice::envelope {

namespace {

const char* word_for(message_kind kind) { return kind == message_kind::command ? "COMMAND" : "EVENT"; }

void write_time(object_writer& to, const std::optional<date_time>& time) {
    if (time) {
        to.text("time", time->to_string());
    } else {
        to.null("time");
    }
}

void write_trace_parent(std::string& out, object_writer& to, const std::optional<trace_parent>& parent) {
    if (!parent) {
        to.null("traceparent");
        return;
    }
    to.begin("traceparent");
    object_writer object{out};
    object.text("trace_id", parent->trace_id);
    object.text("parent_id", parent->parent_id);
    object.boolean("sampled", parent->sampled);
    object.end();
}

/// The headers that both forms carry, in the reference's order.
void write_shared_headers(std::string& out, object_writer& to, const message_headers& headers) {
    to.text("id", headers.id);
    write_time(to, headers.time);
    to.text("type", headers.type);
    to.text("stream", headers.stream);
    write_trace_parent(out, to, headers.traceparent);
}

bool may_leave(const std::string& key, const extension_list& allowed) {
    if (key.starts_with('_')) return false;
    return !allowed || std::find(allowed->begin(), allowed->end(), key) != allowed->end();
}

json::object public_extensions(const json::object& extensions, const extension_list& allowed) {
    json::object result;
    for (const auto& [key, value] : extensions) {
        if (may_leave(key, allowed)) result.append(key, value);
    }
    return result;
}

std::string external_metadata(const message_metadata& metadata, const extension_list& allowed) {
    std::string out;
    object_writer root{out};

    root.begin("headers");
    object_writer headers{out};
    write_shared_headers(out, headers, metadata.headers);
    headers.end();

    const auto& origin = metadata.domain;
    root.begin("domain");
    object_writer domain{out};
    domain.text("fqn", origin.fqn);
    domain.text("kind", word_for(origin.kind));
    domain.text_or_null("origin_stream", origin.origin_stream);
    domain.text("stream_category", origin.stream_category);
    domain.number("version", origin.version);
    domain.text_or_null("sequence_id", origin.sequence_id);
    domain.text_or_null("correlation_id", origin.correlation_id);
    domain.text_or_null("causation_id", origin.causation_id);
    domain.end();

    root.raw("envelope", R"({"specversion":"1.0"})");

    if (const auto extensions = public_extensions(metadata.extensions, allowed); !extensions.empty()) {
        root.begin("extensions");
        json::dump_to(out, extensions);
    }
    root.end();
    return out;
}

int version_number(const std::string& text, const std::string& message_id) {
    int version = 0;
    const auto* const end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, version);
    if (problem != std::errc{} || stop != end || version < 1) {
        throw decode_error{"message " + message_id + " was stored with an older version \"" + text +
                           "\", which is no number of a version"};
    }
    return version;
}

/// What stands beside a message of our own form, for those who route or trace without reading it.
header_list headers_beside(const message_metadata& metadata) {
    header_list list{{"id", metadata.headers.id}, {"type", metadata.headers.type}};
    if (metadata.headers.time) list.push_back({"time", metadata.headers.time->to_string()});
    if (metadata.headers.traceparent) list.push_back({"traceparent", metadata.headers.traceparent->to_w3c()});
    if (metadata.domain.correlation_id) list.push_back({"correlation_id", *metadata.domain.correlation_id});
    return list;
}

rendered_message render_as(const message_metadata& metadata, std::string data, const partner_terms& terms) {
    if (terms.form != message_form::sluice) {
        return render_cloud_event(metadata, public_extensions(metadata.extensions, terms.extensions), std::move(data),
                                  terms);
    }
    return {.body = render_internal(data, external_metadata(metadata, terms.extensions)),
            .head = terms.with_headers ? headers_beside(metadata) : header_list{}};
}

/// The headers and the domain section that a message would have, had the event been raised in the older version.
message_metadata as_version(message_metadata metadata, int version, const std::string& id_suffix) {
    const message_type current{metadata.headers.type};
    metadata.headers.type = std::string{current.domain()} + (current.domain().empty() ? "" : ".") +
                            std::string{current.name()} + ".v" + std::to_string(version);
    metadata.headers.id += id_suffix;
    metadata.domain.version = version;
    return metadata;
}

/// What partners get of stored extensions, with the name of the member and a comma before it. Nothing when there is
/// more than one message in them, or no object.
std::optional<std::string> splice_extensions(std::string_view stored, const extension_list& allowed) {
    if (stored == "{}") return std::string{};
    try {
        const json::value read = json::parse(stored);
        if (!read.is_object() || read.find(older_versions_key) != nullptr) return std::nullopt;
        const json::object leaving = public_extensions(read.as_object(), allowed);
        return leaving.empty() ? std::string{} : R"(,"extensions":)" + json::dump(leaving);
    } catch (const decode_error&) {
        return std::nullopt;
    }
}

/// The message in our own form out of parts of the stored text. Nothing when that has to be decoded.
std::optional<rendered_message> splice_for_partner(std::string_view data, std::string_view metadata,
                                                   const partner_terms& terms) {
    if (terms.form != message_form::sluice) return std::nullopt;
    const auto found = read_stored_form(metadata);
    if (!found) return std::nullopt;
    const auto extensions = splice_extensions(found->extensions, terms.extensions);
    if (!extensions) return std::nullopt;
    const std::string payload = redacted(data, terms.redact, terms.redact_with);
    std::string body;
    body.reserve(payload.size() + metadata.size());
    for (const std::string_view part : std::initializer_list<std::string_view>{
             R"({"data":)", payload, R"(,"metadata":{"headers":{)", found->headers, R"(},"domain":{)", found->origin,
             ",", found->causes, R"(},"envelope":{"specversion":"1.0"})", *extensions, "}}"}) {
        body += part;
    }
    rendered_message message{.body = std::move(body)};
    if (!terms.with_headers) return message;
    message.head = {{"id", std::string{found->id}}, {"type", std::string{found->type}}};
    message.head.push_back({"time", std::string{found->time}});
    if (!found->trace_id.empty()) {
        const trace_parent parent{std::string{found->trace_id}, std::string{found->parent_id}, found->sampled};
        message.head.push_back({"traceparent", parent.to_w3c()});
    }
    if (found->has_correlation) message.head.push_back({"correlation_id", std::string{found->correlation_id}});
    return message;
}

}  // namespace

std::string encode_metadata(const message_metadata& metadata) {
    constexpr std::size_t usual = 1024;
    std::string out;
    out.reserve(usual);
    object_writer root{out};

    root.begin("headers");
    object_writer headers{out};
    write_shared_headers(out, headers, metadata.headers);
    headers.text_or_null("idempotency_key", metadata.headers.idempotency_key);
    headers.text_or_null("deadline", metadata.headers.deadline);
    headers.end();

    root.begin("envelope");
    object_writer envelope{out};
    envelope.text("specversion", metadata.specversion);
    envelope.text_or_null("checksum", metadata.checksum);
    envelope.end();

    const auto& origin = metadata.domain;
    root.begin("domain");
    object_writer domain{out};
    domain.text("fqn", origin.fqn);
    domain.text("kind", word_for(origin.kind));
    domain.text_or_null("origin_stream", origin.origin_stream);
    domain.text("stream_category", origin.stream_category);
    domain.number("version", origin.version);
    domain.text_or_null("sequence_id", origin.sequence_id);
    domain.boolean("asynchronous", origin.asynchronous);
    if (origin.expected_version) {
        domain.number("expected_version", *origin.expected_version);
    } else {
        domain.null("expected_version");
    }
    domain.number("priority", origin.priority);
    domain.text_or_null("correlation_id", origin.correlation_id);
    domain.text_or_null("causation_id", origin.causation_id);
    domain.end();

    root.null("event_store");
    root.begin("extensions");
    json::dump_to(out, metadata.extensions);
    root.end();
    return out;
}

std::string render_internal(std::string_view data, std::string_view metadata) {
    std::string out;
    out.reserve(data.size() + metadata.size() + 24);
    object_writer root{out};
    root.raw("data", data);
    root.raw("metadata", metadata);
    root.end();
    return out;
}

std::string render_external(std::string_view data, std::string_view metadata, const extension_list& allowed) {
    return render_internal(data, external_metadata(decode_metadata(json::parse(metadata)), allowed));
}

std::vector<rendered_message> render_for_partner(std::string_view data, std::string_view metadata,
                                                 const partner_terms& terms) {
    std::vector<rendered_message> messages;
    if (auto whole = splice_for_partner(data, metadata, terms)) {
        messages.push_back(*std::move(whole));
        return messages;
    }
    const message_metadata stored = decode_metadata(json::parse(metadata));
    messages.push_back(render_as(stored, redacted(data, terms.redact, terms.redact_with), terms));
    const json::value* const older = stored.extensions.find(older_versions_key);
    if (older == nullptr) return messages;
    for (const auto& [text, payload] : older->as_object()) {
        const int version = version_number(text, stored.headers.id);
        std::string suffix = version_suffix(text);
        const message_metadata own = as_version(stored, version, suffix);
        std::string payload_text = redacted(json::dump(payload), terms.redact, terms.redact_with);
        messages.push_back(render_as(own, std::move(payload_text), terms));
        messages.back().id_suffix = std::move(suffix);
    }
    return messages;
}

}  // namespace sluice::envelope
