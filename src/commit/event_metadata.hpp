#pragma once

#include <string>
#include <string_view>

#include "commit/command_terms.hpp"
#include "commit/environment.hpp"
#include "commit/provenance.hpp"
#include "envelope/payload.hpp"

namespace sluice::commit {

/// What all messages of a unit have in common: time, correlation, cause and trace.
[[nodiscard]] message_metadata common_metadata(const environment& env, const detail::provenance& from);

/// While spans are recorded: begins and ends the span in which the message is made, and names it as what caused the
/// message. It is part of the trace that the message would have named otherwise.
/// @param metadata  otherwise complete but for extensions
void trace_creation(environment& env, message_metadata& metadata);

/// The event log entry of a message with its checksum, forked to no broker yet.
[[nodiscard]] store::event_write finish(message_metadata metadata, const envelope::payload& data, int priority);

/// Where an event stands among those of its aggregate; its id is made of that (docs/wire-format.md, "Message ids").
struct event_place {
    std::string stream{};    ///< `shop::order-o-1`
    std::string sequence{};  ///< `{version}.{n}`, or `{version}` of an event-sourced aggregate and of a fact

    [[nodiscard]] std::string message_id() const { return stream + "-" + sequence; }
};

/// Builds the event log entry of an event: headers, domain, checksum and the enrichers' extensions, among them its
/// payloads in the older versions that partners get, too. It is forked to the brokers that get it.
/// @param id  of the aggregate
/// @throws whatever an enricher throws; usage_error when an older version cannot be made; validation_error when one of
///         its brokers cannot take a message of that size
[[nodiscard]] store::event_write write_event(environment& env, const detail::event_entry& event,
                                             const detail::aggregate_entry& aggregate, std::string_view id,
                                             const event_place& place, const envelope::payload& data,
                                             const detail::provenance& from);

/// The same for a submitted command, or for the record of one that was handled at once. Its id is given, because events
/// of its handling will name it as their cause.
[[nodiscard]] store::event_write write_command(environment& env, const detail::command_entry& command,
                                               const detail::aggregate_entry& aggregate, const envelope::payload& data,
                                               json::object extensions, std::string id, const detail::provenance& from,
                                               const command_terms& terms = {});

/// What the enrichers add, in registration order; the later one wins on a key clash.
/// @throws validation_error for text that no store keeps; whatever an enricher throws
[[nodiscard]] json::object enrich(const std::vector<enricher>& enrichers, const enrichment_input& input);

}  // namespace sluice::commit
