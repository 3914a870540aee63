#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/message.hpp>

#include "commit/environment.hpp"
#include "commit/invocation.hpp"
#include "config/subscription_resolution.hpp"

namespace sluice::consume {

/// Whether a message is one for the handler behind a route.
enum class interest {
    wanted,
    unwanted,  ///< of this domain, but the handler does not react to it
    unknown    ///< no type of this domain
};

/// Where one subscription reads, and what it does with what it reads.
struct route {
    std::string name;  ///< for people; the handler class or `commands`
    std::string broker;
    std::vector<std::string> streams;  ///< the primary one, then the backfill lane when lanes are enabled
    std::string group;
    config::subscription_settings settings;
    std::vector<config::decided_setting> decided;  ///< where each of the settings comes from
    std::function<interest(const message&)> interest_in;
    /// When the message need not be handled any more: of submitted commands. Empty: always. @throws decode_error
    std::function<std::optional<date_time>(const message&)> deadline_of{};
    /// Runs the handler in a unit of work. @throws whatever the handler or the commit throws
    std::function<commit::outcome(const message& m, std::string_view entry)> handle;
};

/// The routes of a domain, from its declaration:
///   - an event handler and each stream category of the events it reacts to, on the internal broker; the group is the
///     handler's class (`shop.notify_customer`);
///   - the submitted commands of each category, `{category}:command` on the internal broker; the group is
///     `{domain}.commands:{category}`;
///   - a subscriber and its stream, on its own broker; the group is the subscriber's class.
///
/// With priority lanes, what is read from the internal broker is also read from `{stream}:{suffix}`.
/// `env` must outlive the routes.
/// @throws usage_error when the declaration names an aggregate that it does not declare; configuration_error when a
///   profile named in the code does not exist
[[nodiscard]] std::vector<route> routes_of(commit::environment& env);

}  // namespace sluice::consume
