#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "broker/kafka/client.hpp"
#include "broker/verdict.hpp"

namespace sluice::broker::kafka {

/// What the cluster says of topics.
struct described_topics {
    std::map<std::string, std::size_t> there{};  ///< with `max.message.bytes`; 0: that is not told
    std::set<std::string> missing{};
};

/// @throws outage
[[nodiscard]] described_topics describe_topics(const client& by, const std::set<std::string>& names,
                                               const net::deadline& until);

/// Makes them as the options say; those that are there by now count as made. Returns why others could not be made.
/// @throws outage
[[nodiscard]] std::map<std::string, refused> create_topics(const client& by, const kafka_options& options,
                                                           const std::set<std::string>& names,
                                                           const net::deadline& until);

}  // namespace sluice::broker::kafka
