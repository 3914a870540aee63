#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/context.hpp>
#include <sluice/message.hpp>

#include "commit/environment.hpp"
#include "commit/unit.hpp"
#include "store/kept_removal.hpp"

/// Doors into the commit room for the command line (commands by name) and for the consume room (messages).
namespace sluice::command {

/// A context without a message, for the application itself. `env` must outlive it.
[[nodiscard]] context make_context(commit::environment& env);

enum class outcome {
    handled,
    settled,   ///< handled, and what the default database kept of the message left it in the same transaction
    duplicate  ///< the inbox knows this message and handler; nothing was done
};

/// On which terms a message is handled.
struct message_terms {
    std::string_view entry;  ///< the broker's id: causation when the message has no id of its own
    /// What is written counts only while this lease of the default database has this epoch.
    std::optional<store::lease_fence> fence{};
    /// The message as the default database keeps it: removed with what is written there.
    std::optional<store::kept_removal> kept{};
    /// The inbox had no mark of it a moment ago, so the first attempt does not ask again. One that has come since is
    /// met by the commit.
    bool unmarked = false;
    /// The open unit that the handling becomes part of, or null. Whoever opened it commits it, and drops it when
    /// anything was thrown: nothing is repeated or written here.
    detail::unit* within = nullptr;
};

/// Runs `body` for a message inside one unit of work: correlation, causation, extensions, traceparent and priority are
/// those of the message, and the inbox mark commits together with whatever `body` changed. When `body` changed nothing,
/// nothing is written. The unit is repeated as `repetition` says. Within a unit that is open (see `message_terms`) only
/// `body` is run.
///
/// @throws whatever `body` throws and what commit throws, after rolling back; store::lease_lost by the fence
[[nodiscard]] outcome handle(commit::environment& env, const message& m, const message_terms& terms,
                             std::string_view handler, const std::function<void(context&)>& body);

/// The same for a submitted command of this domain, taken from the broker. One whose idempotency key has had its
/// success is a duplicate; failures are not remembered here, because the message comes again by itself.
/// @throws decode_error for an unknown command type, or a deadline that is no time
/// @throws validation_error for data that breaks its rules
/// @throws deadline_error when it has passed (see `deadline_of`)
/// @throws usage_error when its key belongs to another command or to other data
[[nodiscard]] outcome handle_command(commit::environment& env, const message& m, const message_terms& terms,
                                     std::string_view group);

}  // namespace sluice::command
