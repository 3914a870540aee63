#include "commit/event_metadata.hpp"

#include <algorithm>

#include <sluice/codec.hpp>
#include <sluice/error.hpp>

#include "commit/stream_name.hpp"
#include "commit/target_brokers.hpp"
#include "domain/upcasting.hpp"
#include "envelope/envelope.hpp"
#include "envelope/format.hpp"
#include "observe/messaging_span.hpp"
#include "observe/span_source.hpp"

namespace sluice::commit {

namespace {

/// What a broker gets of an event, at its largest.
std::size_t largest_form(const environment& env, const store::event_write& write, const std::string& broker) {
    std::size_t largest = 0;
    for (const auto& each : env.format_of(broker).render(write.event.data, write.event.metadata)) {
        largest = std::max(largest, each.body.size());
    }
    return largest;
}

/// A message that its broker can never take must not be committed: it would be given up later, out of sight.
void require_fits(const environment& env, std::string_view name, const store::event_write& write) {
    for (const std::string& broker : write.target_brokers) {
        const auto& [limit, section] = env.limit_of(broker);
        const std::size_t at_most =
            env.format_of(broker).most_bytes(write.event.data.size(), write.event.metadata.size());
        if (limit == 0 || at_most <= limit) continue;
        const std::size_t size = largest_form(env, write, broker);
        if (size <= limit) continue;
        throw validation_error{
            std::string{name},
            {{"data", "makes a message of " + std::to_string(size) + " bytes, and broker `" + broker +
                          "` takes at most " + std::to_string(limit) + "; raise " + section +
                          ".max_message_bytes, or keep what is large elsewhere and publish where it is"}}};
    }
}

std::optional<std::string> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional{text};
}

}  // namespace

message_metadata common_metadata(const environment& env, const detail::provenance& from) {
    message_metadata metadata;
    metadata.headers.time = env.time().now();
    metadata.headers.traceparent = from.traceparent;
    metadata.domain.correlation_id = unless_empty(from.correlation_id);
    metadata.domain.causation_id = unless_empty(from.causation_id);
    metadata.domain.origin_stream = from.origin_stream;
    return metadata;
}

void trace_creation(environment& env, message_metadata& metadata) {
    const observe::span_source* const spans = env.tracer().spans();
    if (spans == nullptr) return;
    const auto& parent = metadata.headers.traceparent;
    const std::string name = "create " + metadata.domain.stream_category;
    observe::span made =
        parent ? spans->begin(name, span_kind::producer, parent) : spans->begin_here(name, span_kind::producer);
    observe::describe_operation(
        made, {.name = "create", .type = "create", .system = "sluice", .destination = metadata.domain.stream_category});
    observe::describe_message(made, metadata);
    metadata.headers.traceparent = *made.context();
}

/// What partners of older versions will get is made now, so that it commits with the event, whatever build of the
/// domain runs the lane later. An enricher that hands on what it found must not hand on another event's.
void add_older_versions(message_metadata& to, const environment& env, const detail::event_entry& event,
                        const json::value& payload) {
    to.extensions.erase(envelope::older_versions_key);
    if (!event.published || env.configuration().outbox.external_brokers.empty()) return;
    json::object older = detail::older_payloads(env.domain(), event, payload);
    if (!older.empty()) to.extensions.set(std::string{envelope::older_versions_key}, std::move(older));
}

store::event_write finish(message_metadata metadata, const envelope::payload& data, int priority) {
    metadata.checksum = data.checksum();
    store::event_write write;
    write.priority = priority;
    write.event.message_id = metadata.headers.id;
    write.event.stream = metadata.headers.stream;
    write.event.stream_category = metadata.domain.stream_category;
    write.event.type = metadata.headers.type;
    write.event.created_at = *metadata.headers.time;
    write.event.metadata = envelope::encode_metadata(metadata);
    write.event.data = data.text();
    return write;
}

json::object enrich(const std::vector<enricher>& enrichers, const enrichment_input& input) {
    json::object extensions;
    for (const enricher& each : enrichers) {
        for (const auto& [key, value] : each(input)) extensions.set(key, value);
    }
    violations broken;
    {
        const violations::scope in_extensions{broken, "extensions"};
        codec::detail::check_json(extensions, broken);
    }
    codec::detail::require_none(input.name, broken);
    return extensions;
}

store::event_write write_event(environment& env, const detail::event_entry& event,
                               const detail::aggregate_entry& aggregate, std::string_view id, const event_place& place,
                               const envelope::payload& data, const detail::provenance& from) {
    message_metadata metadata = common_metadata(env, from);
    metadata.headers.stream = place.stream;
    metadata.headers.id = place.message_id();
    metadata.headers.type = event.type;
    metadata.domain.fqn = event.fqn;
    metadata.domain.kind = message_kind::event;
    metadata.domain.stream_category = aggregate.category;
    metadata.domain.version = event.version;
    metadata.domain.sequence_id = place.sequence;
    trace_creation(env, metadata);
    metadata.extensions = enrich(env.domain().event_enrichers, {event.name, id, data.value(), from.in});
    add_older_versions(metadata, env, event, data.value());
    store::event_write write = finish(std::move(metadata), data, from.priority);
    write.target_brokers = target_brokers(env.configuration().outbox, event, aggregate);
    require_fits(env, event.name, write);
    return write;
}

store::event_write write_command(environment& env, const detail::command_entry& command,
                                 const detail::aggregate_entry& aggregate, const envelope::payload& data,
                                 json::object extensions, std::string id, const detail::provenance& from,
                                 const command_terms& terms) {
    message_metadata metadata = common_metadata(env, from);
    metadata.domain.stream_category = aggregate.category + ":command";
    metadata.headers.stream = stream_of(metadata.domain.stream_category, id);
    metadata.headers.id = std::move(id);
    metadata.headers.type = command.type;
    metadata.headers.idempotency_key = terms.idempotency_key;
    if (terms.deadline) metadata.headers.deadline = terms.deadline->to_string();
    metadata.domain.fqn = command.fqn;
    metadata.domain.kind = message_kind::command;
    metadata.domain.version = command.version;
    metadata.domain.priority = from.priority;
    metadata.domain.asynchronous = !terms.at_once;
    if (!terms.at_once) trace_creation(env, metadata);  // else it travels nowhere
    metadata.extensions = std::move(extensions);
    store::event_write write = finish(std::move(metadata), data, from.priority);
    if (!terms.at_once) write.target_brokers = internal_target(env.configuration().outbox);
    require_fits(env, command.name, write);
    return write;
}

}  // namespace sluice::commit
