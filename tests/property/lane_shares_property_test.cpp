// Engines that join and leave in random order, and the lanes that they hand over to each other: the shares become even
// within a bounded number of steps, whatever the order, and then nothing moves any more.
//
// SLUICE_SEED=<n> repeats one life; SLUICE_RUNS=<n> changes how many are lived.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "property/seeds.hpp"
#include "store/lane_name.hpp"
#include "store/lane_shares.hpp"

namespace sluice::testing {
namespace {

/// The lanes of a database and engines that all stand by for every lane that is not theirs.
class sharing_world {
public:
    explicit sharing_world(std::uint64_t seed) : random_{seed} {
        for (auto broker = 1 + below(4); broker > 0; --broker) {
            const int shards = 1 + static_cast<int>(below(6));
            for (int number = 1; number <= shards; ++number) {
                lanes_[store::make_lane_name("db", "broker-" + std::to_string(broker), {number, shards})] = {};
            }
        }
    }

    void change() {
        const auto engines = 1 + below(6);
        while (engines_.size() < engines) engines_.insert("engine-" + std::to_string(++joined_));
        while (engines_.size() > engines) leave(*std::next(engines_.begin(), std::ptrdiff_t(below(engines_.size()))));
        // Whoever is first takes what is free; also what was meant for another, when that one is of an earlier build.
        for (auto& [name, lane] : lanes_) {
            if (lane.owner.empty()) lane = {.owner = lane.heir.empty() ? any_engine() : lane.heir};
        }
    }

    /// One lane looks, or one engine takes what was released for it, or leaves in the middle.
    void step() {
        auto& [name, lane] = *std::next(lanes_.begin(), std::ptrdiff_t(below(lanes_.size())));
        if (lane.owner.empty()) {
            lane = {.owner = lane.heir.empty() ? any_engine() : lane.heir};
        } else if (!lane.heir.empty()) {
            lane.owner.clear();
        } else {
            choose(name);
        }
    }

    /// @returns how many heirs were chosen until nothing moved any more; nothing when that does not end
    [[nodiscard]] std::optional<std::size_t> settle(std::size_t most) {
        const auto before = choices_;
        while (choices_ - before <= most) {
            for (std::size_t i = 0; i < 8 * lanes_.size(); ++i) step();
            if (is_at_rest()) return choices_ - before;
        }
        return std::nullopt;
    }

    [[nodiscard]] int spread() const {
        std::map<std::string, int> share;
        for (const auto& engine : engines_) share[engine] = 0;
        for (const auto& [name, lane] : lanes_) ++share[lane.owner];
        const auto [least, most] = std::minmax_element(
            share.begin(), share.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
        return most->second - least->second;
    }
    [[nodiscard]] std::size_t lanes() const { return lanes_.size(); }

private:
    struct lane_state {
        std::string owner;
        std::string heir{};
    };

    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }
    [[nodiscard]] std::string any_engine() {
        return *std::next(engines_.begin(), std::ptrdiff_t(below(engines_.size())));
    }

    void leave(const std::string& engine) {
        for (auto& [name, lane] : lanes_) {
            if (lane.owner == engine) lane.owner.clear();
            if (lane.heir == engine) lane.heir.clear();
        }
        engines_.erase(engine);
    }

    [[nodiscard]] std::string heir_of(const std::string& name) const {
        std::vector<store::owned_lane> owned;
        std::vector<store::standing_by> waiting;
        for (const auto& [each, lane] : lanes_) {
            if (!lane.owner.empty()) owned.push_back({each, lane.owner});
            for (const auto& engine : engines_) {
                if (engine != lane.owner) waiting.push_back({each, engine, engine == lane.heir});
            }
        }
        return store::choose_heir(name, owned, waiting);
    }

    void choose(const std::string& name) {
        auto& lane = lanes_.at(name);
        lane.heir = heir_of(name);
        choices_ += lane.heir.empty() ? 0 : 1;
    }

    [[nodiscard]] bool is_at_rest() const {
        return std::ranges::all_of(lanes_, [this](const auto& each) {
            return !each.second.owner.empty() && each.second.heir.empty() && heir_of(each.first).empty();
        });
    }

    base::seeded_random random_;
    std::map<std::string, lane_state> lanes_;
    std::set<std::string> engines_;
    int joined_ = 0;
    std::size_t choices_ = 0;
};

TEST(lane_shares_property, become_even_when_engines_join_and_leave_and_then_rest) {
    live_many(400, [](std::uint64_t seed) {
        sharing_world world{seed};
        for (int changes = 0; changes < 6; ++changes) {
            world.change();
            for (std::size_t i = 0; i < world.lanes() / 2; ++i)
                world.step();  // the next change may come before the end
            if (changes % 2 == 0) continue;
            const auto moves = world.settle(world.lanes());
            ASSERT_TRUE(moves) << "does not come to rest";
            EXPECT_LE(*moves, world.lanes());
            EXPECT_LE(world.spread(), 1);
        }
    });
}

}  // namespace
}  // namespace sluice::testing
