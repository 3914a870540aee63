#pragma once

#include <string>
#include <string_view>

#include "commit/environment.hpp"
#include "commit/unit.hpp"
#include "store/placeable_event.hpp"

namespace sluice::commit {

/// An event that is written on a transaction of the application's.
struct foreign_event {
    const detail::aggregate_entry& source;  ///< what its stream is named after
    store::placeable_event event;
};

/// Gives a described event its stream, its metadata and its target brokers.
/// @param type  C++ name of the event
/// @param from  must outlive what is returned
/// @throws usage_error  the event is not declared; validation_error  it has no identity, or identity,
///         correlation id or causation id break their rule
[[nodiscard]] foreign_event prepare_foreign_event(environment& env, std::string_view type, std::string identity,
                                                  std::string data, const detail::provenance& from);

}  // namespace sluice::commit
