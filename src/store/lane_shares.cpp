#include "store/lane_shares.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "store/lane_name.hpp"

namespace sluice::store {
namespace {

constexpr int least_difference = 3;  ///< below, giving a lane away makes no share more even

/// How many lanes each engine has, or is about to have.
class share_count {
public:
    share_count(std::span<const owned_lane> owned, std::span<const standing_by> waiting) {
        for (const auto& each : owned) holders_[each.lane] = each.owner;
        for (const auto& each : waiting) {
            if (each.is_heir) holders_[each.lane] = each.owner;
        }
        for (const auto& [lane, holder] : holders_) {
            ++lanes_[holder];
            ++lanes_to_broker_[{holder, broker_of(lane)}];
        }
    }

    /// Empty when nobody has it.
    [[nodiscard]] std::string_view holder_of(std::string_view lane) const {
        const auto found = holders_.find(lane);
        return found == holders_.end() ? std::string_view{} : found->second;
    }
    [[nodiscard]] int lanes_of(std::string_view engine) const {
        const auto found = lanes_.find(engine);
        return found == lanes_.end() ? 0 : found->second;
    }
    /// By how much the first has more than the second, in lanes of all brokers and in those to the lane's.
    [[nodiscard]] int difference(std::string_view lane, std::string_view from, std::string_view to) const {
        return lanes_of(from) - lanes_of(to) + lanes_to(broker_of(lane), from) - lanes_to(broker_of(lane), to);
    }

private:
    [[nodiscard]] int lanes_to(std::string_view broker, std::string_view engine) const {
        const auto found = lanes_to_broker_.find({engine, broker});
        return found == lanes_to_broker_.end() ? 0 : found->second;
    }

    std::map<std::string_view, std::string_view> holders_;
    std::map<std::string_view, int> lanes_;
    std::map<std::pair<std::string_view, std::string_view>, int> lanes_to_broker_;  ///< by engine and broker
};

}  // namespace

std::string choose_heir(std::string_view lane, std::span<const owned_lane> owned,
                        std::span<const standing_by> waiting) {
    const auto mine = std::ranges::find(owned, lane, &owned_lane::lane);
    if (mine == owned.end()) return {};
    const share_count shares{owned, waiting};
    if (const auto holder = shares.holder_of(lane); holder != mine->owner) return std::string{holder};

    const standing_by* heir = nullptr;
    int best = least_difference - 1;
    int best_elsewhere = best;
    const auto before = [&](const standing_by& one, const standing_by& other) {
        return std::tuple{shares.lanes_of(one.owner), std::string_view{one.owner}} <
               std::tuple{shares.lanes_of(other.owner), std::string_view{other.owner}};
    };
    for (const auto& each : waiting) {
        if (each.owner == mine->owner || shares.holder_of(each.lane) != mine->owner) continue;
        const int difference = shares.difference(each.lane, mine->owner, each.owner);
        if (each.lane != lane) {
            best_elsewhere = std::max(best_elsewhere, difference);
        } else if (difference > best || (difference == best && heir != nullptr && before(each, *heir))) {
            heir = &each;
            best = difference;
        }
    }
    return heir == nullptr || best < best_elsewhere ? std::string{} : heir->owner;
}

}  // namespace sluice::store
