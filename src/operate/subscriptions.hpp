#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>

#include "broker/operations.hpp"
#include "config/check.hpp"
#include "consume/orphan_groups.hpp"
#include "consume/route.hpp"
#include "operate/installation.hpp"
#include "operate/outage.hpp"

namespace sluice::operate {

/// How a subscription stands with one of its streams.
enum class subscription_state {
    ok,
    lagging,       ///< messages wait that were not yet delivered
    dead_letters,  ///< whatever waits
    never_read,    ///< the broker knows no such group: no engine has run this subscription so far
    unknown        ///< the broker did not answer, or cannot be seen from here
};

/// `ok`, `lagging`, `dead_letters`, `never_read`, `unknown`.
[[nodiscard]] const char* to_string(subscription_state state) noexcept;

/// A subscription and one stream that it reads.
struct subscription_row {
    const consume::route* of = nullptr;
    std::string stream;
    bool backfill = false;
    subscription_state state = subscription_state::unknown;
    std::optional<broker::group_status> group{};  ///< what the broker counts, when it was seen
};

/// What each broker that answered said about its groups.
using groups_by_broker = std::map<std::string, std::vector<broker::group_status>>;

/// The rows in the order of the routes, the backfill lane of a stream after the stream. Pure.
/// @param routes  must outlive the rows
[[nodiscard]] std::vector<subscription_row> view_subscriptions(const std::vector<consume::route>& routes,
                                                               const groups_by_broker& seen);

/// A group of the domain that no handler of this build reads, with what the broker counts.
struct orphan_group {
    std::string broker;
    broker::group_status group;
};

/// By broker, stream and name; a broker that was seen under two names counts once. Pure.
[[nodiscard]] std::vector<orphan_group> view_orphans(const std::vector<consume::route>& routes,
                                                     const groups_by_broker& seen, const consume::broker_places& places,
                                                     std::string_view domain);
[[nodiscard]] config::finding to_finding(const orphan_group& orphan);
[[nodiscard]] json::value to_json(const orphan_group& orphan);

/// How many rows are in that state.
[[nodiscard]] std::int64_t count_in(const std::vector<subscription_row>& rows, subscription_state state);

/// The subscriptions of a domain, with what the brokers count that they read.
struct subscriptions_view {
    std::vector<subscription_row> subscriptions{};
    std::vector<orphan_group> orphans{};
    std::vector<outage> away{};
    std::vector<std::string> in_process{};  ///< brokers that live and die inside the server's process
};

/// A broker that is away is named in the answer and hides no other. @param of  must outlive the view
[[nodiscard]] subscriptions_view read_subscriptions(const declared_installation& of);
[[nodiscard]] json::value to_json(const subscriptions_view& view);

}  // namespace sluice::operate
