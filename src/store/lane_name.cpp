#include "store/lane_name.hpp"

#include <charconv>
#include <optional>

#include "base/sha256.hpp"

namespace sluice::store {
namespace {

std::optional<int> number_in(std::string_view text) noexcept {
    int number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, trouble] = std::from_chars(text.data(), end, number);
    if (trouble != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

std::string with_shard(std::string_view whole, const shard& part) {
    std::string name{whole};
    if (!part.is_whole()) name += '#' + std::to_string(part.number) + '/' + std::to_string(part.count);
    return name;
}

}  // namespace

bool shard::carries(std::string_view stream) const {
    if (is_whole()) return true;
    const auto digest = base::sha256(stream);
    const int bucket = digest[0] << 8 | digest[1];
    return bucket % count == number - 1;
}

std::string make_lane_name(std::string_view database, std::string_view broker, const shard& part) {
    std::string name{database};
    name += ':';
    name += broker;
    return with_shard(name, part);
}

shard shard_of(std::string_view lane) noexcept {
    const auto hash = lane.find('#');
    const auto slash = lane.find('/', hash);
    if (hash == std::string_view::npos || slash == std::string_view::npos) return {};
    const auto number = number_in(lane.substr(hash + 1, slash - hash - 1));
    const auto count = number_in(lane.substr(slash + 1));
    const bool makes_sense = number && count && *number >= 1 && *number <= *count && *count <= most_shards;
    return makes_sense ? shard{*number, *count} : shard{};
}

std::vector<std::string> layout_of(std::string_view lane) {
    const int count = shard_of(lane).count;
    if (count == 1) return {std::string{lane}};
    const auto whole = lane.substr(0, lane.find('#'));
    std::vector<std::string> lanes;
    for (int number = 1; number <= count; ++number) lanes.push_back(with_shard(whole, {number, count}));
    return lanes;
}

}  // namespace sluice::store
