#pragma once

#include <memory>

#include <sluice/message.hpp>
#include <sluice/registry.hpp>

#include "command/invocation.hpp"
#include "commit/environment.hpp"

/// Doors into the commit room for projectors and for those who read their read models.
namespace sluice::projection {

/// Lets a projector handle a message: the rows it changes and the inbox mark commit together, so that a message counts
/// once. A message that the last rebuild has applied already, from the log, is passed over. A conflict with another
/// unit of the same projector is retried with fresh rows.
///
/// @throws store_error  retryable, with the remedy, while the read model has to be rebuilt first: the events wait
/// @throws whatever the projector and the commit throw; nothing was written then
[[nodiscard]] command::outcome project(commit::environment& env, const detail::projector_entry& projector,
                                       const message& m, const command::message_terms& terms);

/// The committed rows of a read model. `env` must outlive it.
[[nodiscard]] std::shared_ptr<detail::row_source> rows_of(commit::environment& env,
                                                          const detail::projector_entry& projector);

}  // namespace sluice::projection
