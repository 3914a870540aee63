#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "consume/subscription_plan.hpp"

namespace {

using namespace sluice::consume;
using namespace std::chrono_literals;
using sluice::date_time;

constexpr int sources = 3;  // two primary ones and a backfill lane
constexpr int messages = 200;

/// Streams, a broker that hands out again what is not settled, and handlers that do what chance wants.
class world {
public:
    world(unsigned seed, bool keys_span_sources, std::size_t together)
        : random_{seed}, span_{keys_span_sources}, together_{together}, plan_{settings()} {
        for (int i = 0; i < messages; ++i) {
            streams_[chance(3) ? 2 : random_() % 2].push_back({i, "k" + std::to_string(random_() % 7)});
        }
    }

    void live() {
        for (int turn = 0; done_ < messages; ++turn) {
            ASSERT_LT(turn, 200'000) << "it does not come to an end";
            if (chance(500)) lose_connection();
            if (chance(50)) set_the_calendar();
            if (!in_hand_.empty() && chance(3)) finish_one();
            perform(plan_.next(now_));
            if (testing::Test::HasFatalFailure()) return;
        }
        ASSERT_TRUE(in_hand_.empty());
        ASSERT_FALSE(plan_.last_failure());
        ASSERT_LT(now_.steady - begin_, 1h) << "it waits by the calendar";
    }

private:
    struct entry {
        int number;
        std::string key;
        bool handed_out = false;
        bool settled = false;
        int attempts = 0;
        std::optional<date_time> not_before{};
    };
    struct work {
        std::size_t source;
        entry* what;
        bool orphan = false;  ///< its connection was lost
    };

    [[nodiscard]] plan_settings settings() const {
        plan_settings s;
        s.sources = sources;
        s.primaries = 2;
        s.keys_span_sources = span_;
        s.hands = 4;
        s.together = together_;
        s.read_limit = 20;
        s.max_held = 30;
        s.max_attempts = 4;
        s.breaker_threshold = 5;
        s.breaker_reset = 10s;
        s.ack_limit = 5;
        return s;
    }

    bool chance(unsigned one_in) { return random_() % one_in == 0; }
    [[nodiscard]] std::string key_of(const work& w) const {
        return (span_ ? "" : std::to_string(w.source) + "/") + w.what->key;
    }
    entry& find(std::size_t source, const std::string& text) {
        auto& stream = streams_.at(source);
        return *std::find_if(stream.begin(), stream.end(),
                             [&](const entry& e) { return std::to_string(e.number) == text; });
    }

    void perform(const action& next) {
        std::visit([this](const auto& act) { perform(act); }, next);
    }
    void perform(const handle_parcel& act) {
        const std::size_t source = act.what->source;
        const work mine{source, &find(source, act.what->delivery.entry)};
        for (const auto& [number, other] : in_hand_) {
            ASSERT_NE(other.what, mine.what) << "handled twice at a time";
            ASSERT_NE(key_of(other), key_of(mine)) << "two of one key at a time";
        }
        ASSERT_FALSE(handled_.contains(mine.what)) << "handled again";
        for (const entry& before : streams_.at(source)) {
            if (before.number == mine.what->number) break;
            const bool over = before.settled || handled_.contains(&before);
            ASSERT_TRUE(before.key != mine.what->key || over) << "before an earlier one of its key";
        }
        in_hand_.emplace(act.number, mine);
        ASSERT_LE(in_hand_.size(), 4 * together_);
    }
    void perform(const handle_together& act) {
        ASSERT_LE(act.parcels.size(), together_);
        for (const handle_parcel& each : act.parcels) {
            ASSERT_LT(each.what->source, 2U) << "those of a backfill lane are handed out alone";
            ASSERT_EQ(each.what->delivery.attempts, 0) << "so is what has failed";
            perform(each);
        }
    }
    void perform(const acknowledge& act) {
        for (const receipt& each : *act.receipts) settle(find(act.source, each.entry));
        plan_.acknowledged(act.source);
    }
    void perform(const put_off& act) {
        entry& failed = find(act.what.source, act.what.delivery.entry);
        failed.attempts = act.attempts;
        failed.not_before = act.not_before;
    }
    void perform(const set_aside& act) { settle(find(act.what.source, act.what.delivery.entry)); }
    void perform(const read_more& act) {
        ASSERT_NE(plan_.breaker(), circuit_breaker::state::open) << "nothing is read while it is open";
        std::vector<arrival> arrivals;
        for (entry& e : streams_.at(act.source)) {
            if (e.settled || e.handed_out) continue;
            if (arrivals.size() == act.limit || chance(10)) break;
            e.handed_out = true;
            arrivals.push_back({{act.source,
                                 {.entry = std::to_string(e.number),
                                  .stream = "s",
                                  .body = "b",
                                  .key = e.key,
                                  .attempts = e.attempts,
                                  .not_before = e.not_before}},
                                wanted{e.key}});
        }
        plan_.received(act.source, std::move(arrivals), now_);
        ASSERT_LE(plan_.held(), 30U);
    }
    void perform(const breaker_turned& /*act*/) {}
    void perform(const keep_claims& /*act*/) {}
    void perform(const reopen& /*act*/) { lose_connection(); }
    void perform(const rest& act) {
        if (!in_hand_.empty() && !chance(4)) return finish_one();
        now_ += std::max<sluice::duration>(act.until - now_.steady, 1ms);
    }

    void settle(entry& e) {
        if (!std::exchange(e.settled, true)) ++done_;
    }
    void set_the_calendar() {
        const auto jump = static_cast<std::int64_t>(random_() % 200) - 100;
        now_.wall += std::chrono::hours{jump};
    }
    void lose_connection() {
        plan_.lost(now_);
        for (auto& stream : streams_) {
            for (entry& e : stream) e.handed_out = false;
        }
        for (auto& [number, mine] : in_hand_) mine.orphan = true;
    }
    void finish_one() {
        auto at = in_hand_.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(random_() % in_hand_.size()));
        const auto [number, mine] = *at;
        in_hand_.erase(at);
        if (chance(4)) {
            plan_.failed(number, "no", "x", now_);
        } else if (chance(20)) {
            plan_.interrupted(number, now_);
        } else if (chance(10)) {
            plan_.hindered(number, {"locked", "x"}, now_);
        } else if (chance(10)) {
            plan_.contended(number, {"changed", "x"}, 0.5, now_);
        } else if (chance(20)) {
            plan_.withdrawn(number);
        } else {
            plan_.handled(number, false, now_);
            handled_.insert(mine.what);
        }
    }

    std::mt19937 random_;
    bool span_;
    std::size_t together_;
    subscription_plan plan_;
    std::vector<std::vector<entry>> streams_ = std::vector<std::vector<entry>>(sources);
    std::map<parcel_number, work> in_hand_;
    std::set<const entry*> handled_;
    int done_ = 0;
    static constexpr sluice::instant begin_{1h};
    sluice::base::moment now_{.steady = begin_, .wall = date_time::parse("2026-11-23T08:00:00Z")};
};

struct kind_of_world {
    const char* name;
    bool keys_span_sources;
    std::size_t together;
};

class subscription_plan_property : public testing::TestWithParam<kind_of_world> {};

TEST_P(subscription_plan_property, keeps_keys_in_order_and_apart_and_loses_nothing_with_four_hands) {
    for (int life = 0; life < 10; ++life) {
        const unsigned seed = std::random_device{}();
        SCOPED_TRACE("seed " + std::to_string(seed));
        world{seed, GetParam().keys_span_sources, GetParam().together}.live();
        if (HasFatalFailure()) return;
    }
}

INSTANTIATE_TEST_SUITE_P(keys, subscription_plan_property,
                         testing::Values(kind_of_world{"belong_to_a_stream", false, 1},
                                         kind_of_world{"span_streams", true, 1},
                                         kind_of_world{"belong_to_a_stream_in_bundles", false, 3}),
                         [](const auto& of) { return of.param.name; });

}  // namespace
