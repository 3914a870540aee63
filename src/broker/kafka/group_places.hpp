#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker/kafka/client.hpp"
#include "broker/kafka/place_note.hpp"
#include "broker/kafka/starting_place.hpp"
#include "broker/membership.hpp"

/// The places of a group, as the cluster keeps them.
namespace sluice::broker::kafka {

struct topic_partition {
    std::string topic;
    std::int32_t partition = 0;

    friend auto operator<=>(const topic_partition&, const topic_partition&) = default;
};

/// A group's place in one partition.
struct kept_place {
    topic_partition at;
    std::int64_t offset = 0;
    std::string metadata{};
    std::size_t behind = 0;  ///< of a place to commit: offsets behind it that its metadata names
};

/// For the calls of the library.
[[nodiscard]] partitions_handle to_list(const std::vector<kept_place>& places);
/// Where the group that `by` is a member of stands; partitions where it has no place are left out.
/// @throws outage
[[nodiscard]] std::vector<kept_place> committed_places(const client& by, const std::vector<topic_partition>& of,
                                                       const net::deadline& until);
/// The same of any group, on all topics.
/// @throws outage
[[nodiscard]] std::vector<kept_place> places_of_group(const client& by, const std::string& group,
                                                      const net::deadline& until);
/// Waits for the answer. Returns why it could not be done; empty when it was.
[[nodiscard]] std::string commit_places(const client& by, const std::vector<kept_place>& places,
                                        const net::deadline& until);

/// The first offset that a partition keeps, and the one behind its last.
struct watermarks {
    std::int64_t low = 0;
    std::int64_t end = 0;
};
/// @throws outage
[[nodiscard]] watermarks ask_watermarks(const client& by, const topic_partition& of, const net::deadline& until);
/// The first offset of a partition that is not older; the end when there is none.
/// @throws outage
[[nodiscard]] std::int64_t first_since(const client& by, const topic_partition& of, date_time first,
                                       const net::deadline& until);

}  // namespace sluice::broker::kafka
