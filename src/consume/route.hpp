#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sluice/message.hpp>

#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "config/subscription_resolution.hpp"

namespace sluice::consume {

/// Whether a message is one for the handler behind a route.
enum class interest {
    wanted,
    unwanted,  ///< of this domain, but the handler does not react to it
    unknown    ///< no type of this domain
};

/// What makes a handler sequential.
struct sequence {
    std::string lease;  ///< in the default database: one process at a time handles the messages
    /// The value in whose order of arrival the message is handled. @throws what its decoding throws
    std::function<std::string(const message&)> key_of;
};

/// Where one subscription reads, and what it does with what it reads.
struct route {
    std::string name;  ///< for people; the handler class or `commands`
    std::string broker;
    std::vector<std::string> streams;  ///< the primary ones, then the backfill lane of each when lanes are enabled
    std::string group;
    start from = start::beginning;  ///< of a group that does not exist yet
    config::subscription_settings settings;
    std::vector<config::decided_setting> decided;  ///< where each of the settings comes from
    std::function<interest(const message&)> interest_in;
    /// When the message need not be handled any more: of submitted commands. Empty: always. @throws decode_error
    std::function<std::optional<date_time>(const message&)> deadline_of{};
    /// Runs the handler in a unit of work. @throws whatever the handler or the commit throws; store::lease_lost when
    ///   somebody else has the lease of the fence: nothing was written
    std::function<command::outcome(const message& m, const command::message_terms& terms)> handle;
    std::string marked_as{};               ///< whose inbox marks are asked for before; empty: `handle` asks on its own
    bool joins = false;                    ///< `handle` can become part of an open unit (message_terms::within)
    std::size_t primaries = 1;             ///< the first streams; the others are backfill lanes
    std::string former_group{};            ///< its name in earlier builds; see broker::membership
    std::optional<sequence> sequential{};  ///< of a sequential handler
};

/// The routes of a domain, from its declaration:
///   - an event handler and each stream category of the events it reacts to, on the internal broker; the group is the
///     handler's name, by default its class (`shop.notify_customer`). A sequential handler has one route over all
///     categories;
///   - a projector, in the same way, but that the group is the one that feeds its table already, if any;
///   - a process manager and each stream category of its events, and of its timeouts, on the internal broker; the group
///     is its name, by default its class;
///   - the submitted commands of each category, `{category}:command` on the internal broker; the group is the handlers'
///     name, by default that of the reference, `protean.server.engine.Commands:{category}`, so that servers of both
///     kinds share the commands of a domain. The inbox knows them under `{domain}.commands:{category}`, which was the
///     group's name;
///   - a subscriber and its stream, on its own broker; the group is its name, by default its class.
///
/// With priority lanes, what is read from the internal broker is also read from `{stream}:{suffix}`.
/// `env` must outlive the routes.
/// @throws usage_error when the declaration names an aggregate that it does not declare; configuration_error when a
///   profile named in the code does not exist, or a route reads from a broker that cannot be read, or two of them from
///   one queue
[[nodiscard]] std::vector<route> routes_of(commit::environment& env);

}  // namespace sluice::consume
