#include "envelope/envelope.hpp"
#include "envelope/object_writer.hpp"

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

/// Keys that start with `_` are private to the context that wrote them.
json::object public_extensions(const json::object& extensions) {
    json::object result;
    for (const auto& [key, value] : extensions) {
        if (!key.starts_with('_')) result.append(key, value);
    }
    return result;
}

std::string external_metadata(const message_metadata& metadata) {
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

    if (const auto extensions = public_extensions(metadata.extensions); !extensions.empty()) {
        root.begin("extensions");
        json::dump_to(out, extensions);
    }
    root.end();
    return out;
}

}  // namespace

std::string encode_metadata(const message_metadata& metadata) {
    std::string out;
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

std::string render_external(std::string_view data, std::string_view metadata) {
    return render_internal(data, external_metadata(decode_metadata(json::parse(metadata))));
}

}  // namespace sluice::envelope
