#pragma once

#include <string>
#include <string_view>

#include "commit/unit.hpp"

namespace sluice::commit {

/// Builds the event log entry of an event: headers, domain, checksum and the enrichers' extensions (WIRE 1-3), among
/// them its payloads in the older versions that partners get, too.
/// @param sequence  `{aggregate version}.{n}`
/// @throws whatever an enricher throws; usage_error when an older version cannot be made
[[nodiscard]] store::event_write write_event(environment& env, const detail::event_entry& event,
                                             const detail::aggregate_entry& aggregate, std::string_view id,
                                             const std::string& sequence, std::string data,
                                             const detail::provenance& from);

/// The same for an asynchronous command. Its id is given, because events of its handling will name it as their cause.
[[nodiscard]] store::event_write write_command(environment& env, const detail::command_entry& command,
                                               const detail::aggregate_entry& aggregate, std::string data,
                                               json::object extensions, std::string id, const detail::provenance& from);

/// What the enrichers add, in registration order; the later one wins on a key clash.
[[nodiscard]] json::object enrich(const std::vector<enricher>& enrichers, const enrichment_input& input);

}  // namespace sluice::commit
