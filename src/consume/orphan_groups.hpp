#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/operations.hpp"
#include "consume/route.hpp"

namespace sluice::consume {

/// Consumer groups that a domain has left on a broker and that no route of this build reads: their handlers were
/// renamed or removed, or do not read that stream any more. Groups of other domains, and those that nobody has put a
/// domain to, are none. Pure.
[[nodiscard]] std::vector<broker::known_group> orphan_groups(const std::vector<broker::known_group>& known,
                                                             const std::vector<route>& routes, std::string_view broker,
                                                             std::string_view domain);

/// What to do about one, for people.
[[nodiscard]] std::string remedy_for(const broker::known_group& orphan);

}  // namespace sluice::consume
