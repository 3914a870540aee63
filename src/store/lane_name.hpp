#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::store {

inline constexpr int most_shards = 64;

/// The part of a broker's rows that one lane carries: all of them, or those of the streams that fall to it when the
/// streams are spread over several lanes.
///
/// A stream falls to the lane whose number is one more than its bucket modulo `count`. The bucket is the number in the
/// first two bytes of the SHA-256 of its name, so it is the same in every store, process and version.
struct shard {
    int number = 1;  ///< from 1 to `count`
    int count = 1;   ///< up to `most_shards`

    [[nodiscard]] bool is_whole() const noexcept { return count == 1; }
    [[nodiscard]] bool carries(std::string_view stream) const;

    friend bool operator==(const shard&, const shard&) = default;
};

/// Name of the lane that carries one database's rows to one broker: `default:partner_events`; of the second of three
/// shards `default:partner_events#2/3`.
[[nodiscard]] std::string make_lane_name(std::string_view database, std::string_view broker, const shard& part = {});

/// The broker a lane carries to: what follows the first `:`, without the number of a shard. Empty when the text is no
/// lane's name.
[[nodiscard]] constexpr std::string_view broker_of(std::string_view lane) noexcept {
    const auto colon = lane.find(':');
    if (colon == std::string_view::npos) return {};
    lane.remove_prefix(colon + 1);
    return lane.substr(0, lane.find('#'));
}

/// True for two lanes of one broker, whatever their layout, and for a name and itself.
[[nodiscard]] constexpr bool shares_rows(std::string_view lane, std::string_view other) noexcept {
    return lane == other || (!broker_of(lane).empty() && broker_of(lane) == broker_of(other));
}

/// The part that a lane of this name carries; the whole when the name tells of no shard.
[[nodiscard]] shard shard_of(std::string_view lane) noexcept;

/// The names of all lanes that share a broker's rows with this one, itself among them, in the order of their numbers.
[[nodiscard]] std::vector<std::string> layout_of(std::string_view lane);

}  // namespace sluice::store
