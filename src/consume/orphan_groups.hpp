#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "broker/operations.hpp"
#include "commit/environment.hpp"
#include "consume/route.hpp"

namespace sluice::consume {

/// How each configured broker describes the place that it leads to; two names may lead to one.
using broker_places = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] broker_places places_of(const commit::environment& env);

/// Consumer groups that a domain has left on a broker and that no route of this build reads, under whichever name of
/// that broker: their handlers were renamed or removed, or do not read that stream any more. Groups of other domains,
/// and those that nobody has put a domain to, are none. Pure.
/// @param broker  has its place among `places`, as have the brokers of all routes
[[nodiscard]] std::vector<broker::known_group> orphan_groups(const std::vector<broker::known_group>& known,
                                                             const std::vector<route>& routes, std::string_view broker,
                                                             const broker_places& places, std::string_view domain);

/// What to do about one, for people.
[[nodiscard]] std::string remedy_for(const broker::known_group& orphan);

}  // namespace sluice::consume
