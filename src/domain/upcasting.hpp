#pragma once

#include <string>
#include <vector>

#include <sluice/registry.hpp>

namespace sluice::detail {

/// Where the steps lead from a version: the last one they reach, which is the version itself when there is no step.
[[nodiscard]] int end_of(const upcast_chain& steps, int version);

/// Brings a payload of an older version to the current one. The steps must lead there.
/// @throws decode_error  naming event, versions and reason
[[nodiscard]] json::object upcast(const event_entry& event, const upcast_chain& steps, int version,
                                  const json::value& data);

/// The payloads of a published event in the older versions that partners get, too: `{"2": {…}, "1": {…}}`.
/// @throws usage_error  a converter threw or made something that is no JSON; names event, versions and reason
[[nodiscard]] json::object older_payloads(const registry& domain, const event_entry& event, const json::value& data);

/// What is wrong with one more step; empty when nothing is.
[[nodiscard]] std::string problem_of(const upcaster_entry& entry, const upcast_chain& known);

/// What is wrong with upcasters and with older versions that are published, once everything is declared.
[[nodiscard]] std::vector<std::string> problems_of_versions(const registry& domain);

}  // namespace sluice::detail
