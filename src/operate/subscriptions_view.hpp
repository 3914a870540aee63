#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/operations.hpp"
#include "config/check.hpp"
#include "consume/orphan_groups.hpp"
#include "consume/route.hpp"

namespace sluice::operate {

/// How a subscription stands with one of its streams.
enum class subscription_state {
    ok,
    lagging,       ///< messages wait that were not yet delivered
    dead_letters,  ///< whatever waits
    never_read,    ///< the broker knows no such group: no engine has run this subscription so far
    unknown        ///< the broker did not answer, or cannot be seen from here
};

/// `ok`, `lagging`, `has dead letters`, `never read`, `-`.
[[nodiscard]] const char* to_text(subscription_state state) noexcept;
/// `ok`, `lagging`, `dead_letters`, `never_read`, `unknown`.
[[nodiscard]] const char* to_word(subscription_state state) noexcept;

/// One line of `sluice subscriptions status`: a subscription and one stream that it reads.
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
struct orphan_row {
    std::string broker;
    broker::group_status group;
};

/// By broker, stream and name; a broker that was seen under two names counts once. Pure.
[[nodiscard]] std::vector<orphan_row> view_orphans(const std::vector<consume::route>& routes,
                                                   const groups_by_broker& seen, const consume::broker_places& places,
                                                   std::string_view domain);
[[nodiscard]] config::finding to_finding(const orphan_row& orphan);
[[nodiscard]] json::value to_json(const orphan_row& orphan);

/// `profile=fast max_retries=10`: the profiles that decide something, then the keys that were set otherwise than they
/// or the built-in values have it. Empty when everything is usual.
[[nodiscard]] std::string settings_text(const std::vector<config::decided_setting>& decided);

/// `4 subscriptions: 2 ok, 1 lagging, 1 with dead letters`; states that no row has are left out.
[[nodiscard]] std::string summary_text(const std::vector<subscription_row>& rows);

/// How many rows are in that state.
[[nodiscard]] std::int64_t count_in(const std::vector<subscription_row>& rows, subscription_state state);

}  // namespace sluice::operate
