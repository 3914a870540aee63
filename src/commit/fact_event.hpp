#pragma once

#include <string>
#include <string_view>

#include <sluice/registry.hpp>

#include "commit/environment.hpp"
#include "commit/provenance.hpp"
#include "commit/tracked.hpp"

/// Facts: events with the whole state of an aggregate.
namespace sluice::commit {

/// `shop::order-fact-o-1`
[[nodiscard]] std::string fact_stream_of(const detail::aggregate_entry& type, std::string_view id);
/// `Shop.OrderFactEvent.v1`
[[nodiscard]] std::string fact_type_of(const detail::registry& domain, const detail::aggregate_entry& type);

/// The stream of `fact-7` would be that of the facts of `7`.
/// @throws validation_error when the aggregate has facts and the identity begins with `fact-`
void require_unambiguous_stream(const detail::aggregate_entry& type, std::string_view id);

/// Brings the fact of an aggregate that has facts up to what the unit has made of it so far; none when it is unchanged
/// or removed.
/// @param from  of the latest change
/// @returns whether there is a new fact
/// @throws validation_error for an ambiguous identity; whatever an enricher throws
bool refresh_fact(environment& env, tracked& entry, const detail::provenance& from);

}  // namespace sluice::commit
