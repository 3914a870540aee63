#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <random>
#include <set>
#include <thread>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "contract/broker_contract.hpp"

namespace sluice::broker::contract {
namespace {

using base::wake_reason;
using base::wake_signal;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_P(broker_contract, lets_a_new_group_go_on_where_its_former_name_was) {
    if (!GetParam().keeps_history) GTEST_SKIP() << "a group has only what came since it began";
    deliver(*broker_, notes("m", 4));
    {
        const auto former = join("old", "c");
        former->ack(entries_of(former->read(1, noon)));
        ASSERT_THAT(former->read(1, noon), SizeIs(1)) << "one is under way";
    }
    const membership renamed{.group = "new", .consumer = "d", .claim = claim, .former_group = "old"};
    const auto later = at(noon + 2 * claim);
    EXPECT_THAT(bodies_of(sluice::testing::open_consumer(*broker_, "shop::order", renamed)->read(10, later)),
                ElementsAre("m1", "m2", "m3"));
    const membership again{.group = "new", .consumer = "d", .claim = claim, .former_group = "old"};
    EXPECT_THAT(bodies_of(sluice::testing::open_consumer(*broker_, "shop::order", again)->read(10, later)),
                ElementsAre("m1", "m2", "m3"))
        << "a group that is there is not moved again";
    const membership unknown{.group = "third", .consumer = "d", .claim = claim, .former_group = "never there"};
    EXPECT_THAT(sluice::testing::open_consumer(*broker_, "shop::order", unknown)->read(10, later), SizeIs(4));
}

TEST_P(broker_contract, starts_a_group_at_the_beginning_of_the_stream) {
    deliver(*broker_, notes("m", 3));
    EXPECT_THAT(bodies_of(join("late", "c")->read(10, noon)), ElementsAre("m0", "m1", "m2"));
}

TEST_P(broker_contract, has_nothing_to_read_in_a_stream_that_nobody_began) {
    EXPECT_THAT(join("g", "c")->read(10, noon), IsEmpty());
}

TEST_P(broker_contract, hands_out_at_most_the_limit_and_nothing_twice) {
    deliver(*broker_, notes("m", 5));
    const auto reader = join("g", "c");
    EXPECT_THAT(reader->read(0, noon), IsEmpty());
    EXPECT_THAT(bodies_of(reader->read(2, noon)), ElementsAre("m0", "m1"));
    EXPECT_THAT(bodies_of(reader->read(10, noon)), ElementsAre("m2", "m3", "m4"));
    EXPECT_THAT(reader->read(10, noon + 10 * claim), IsEmpty());
}

TEST_P(broker_contract, gives_each_group_everything) {
    deliver(*broker_, notes("m", 2));
    const auto first = join("g1", "c");
    first->ack(entries_of(first->read(10, noon)));
    EXPECT_THAT(bodies_of(join("g2", "c")->read(10, noon)), ElementsAre("m0", "m1"));
}

TEST_P(broker_contract, forgets_what_was_acknowledged) {
    deliver(*broker_, notes("m", 3));
    {
        const auto reader = join("g", "c");
        const auto got = reader->read(10, noon);
        const std::vector<std::string> done{got.at(0).entry, got.at(2).entry};
        reader->ack(done);
    }
    EXPECT_THAT(bodies_of(join("g", "c")->read(10, noon)), ElementsAre("m1"));
}

TEST_P(broker_contract, returns_to_a_restarted_consumer_what_it_held_before_new_messages) {
    deliver(*broker_, notes("m", 3));
    static_cast<void>(join("g", "c")->read(2, noon));
    EXPECT_THAT(bodies_of(join("g", "c")->read(10, noon)), ElementsAre("m0", "m1", "m2"));
}

TEST_P(broker_contract, remembers_failed_attempts) {
    deliver(*broker_, notes("m", 1));
    {
        const auto reader = join("g", "c");
        const auto got = reader->read(10, noon);
        EXPECT_EQ(got.at(0).attempts, 0);
        EXPECT_FALSE(got.at(0).not_before);
        reader->defer(got.at(0).entry, 2, noon + 60 * second);
        EXPECT_THAT(reader->read(10, noon), IsEmpty()) << "it stays with its consumer";
    }
    const auto got = join("g", "c")->read(10, noon);
    ASSERT_THAT(got, SizeIs(1));
    EXPECT_EQ(got[0].attempts, 2);
    // A broker with a clock of its own keeps the time by that.
    ASSERT_TRUE(got[0].not_before);
    EXPECT_GE(*got[0].not_before, noon + 59 * second);
    EXPECT_LE(*got[0].not_before, noon + 70 * second);
}

TEST_P(broker_contract, shares_a_stream_within_a_group) {
    if (!GetParam().shares_groups) GTEST_SKIP() << "one consumer of a group reads at a time";
    deliver(*broker_, notes("m", 4, 4));
    const auto one = join("g", "one");
    const auto two = join("g", "two");
    EXPECT_THAT(bodies_of(one->read(2, noon)), ElementsAre("m0", "m1"));
    EXPECT_THAT(bodies_of(two->read(10, noon)), ElementsAre("m2", "m3"));
}

TEST_P(broker_contract, gives_no_later_message_of_a_key_to_somebody_else) {
    if (!GetParam().shares_groups) GTEST_SKIP() << "one consumer of a group reads at a time";
    deliver(*broker_, {{"a", "k1", "a1"}, {"b", "k1", "a2"}, {"c", "k2", "b1"}, {"d", "k1", "a3"}});
    const auto one = join("g", "one");
    const auto two = join("g", "two");
    const auto first = one->read(1, noon);
    ASSERT_THAT(bodies_of(first), ElementsAre("a1"));
    EXPECT_THAT(bodies_of(two->read(10, noon)), ElementsAre("b1")) << "the other key goes on";
    EXPECT_THAT(two->read(10, noon), IsEmpty());

    one->ack(entries_of(first));
    EXPECT_THAT(bodies_of(two->read(10, noon)), ElementsAre("a2", "a3"));
}

TEST_P(broker_contract, does_not_stop_the_holder_of_a_key) {
    if (!GetParam().shares_groups) GTEST_SKIP() << "one consumer of a group reads at a time";
    deliver(*broker_, {{"a", "k1", "a1"}, {"b", "k1", "a2"}, {"c", "k2", "b1"}, {"d", "k1", "a3"}});
    const auto one = join("g", "one");
    const auto two = join("g", "two");
    static_cast<void>(one->read(1, noon));
    static_cast<void>(two->read(10, noon));
    EXPECT_THAT(bodies_of(one->read(10, noon)), ElementsAre("a2", "a3"));
}

TEST_P(broker_contract, lets_others_of_a_group_stand_by_until_the_reader_leaves) {
    if (GetParam().shares_groups) GTEST_SKIP() << "consumers of a group read side by side";
    deliver(*broker_, notes("m", 3, 3));
    auto one = join("g", "one");
    // Who joins first, reads: the other one must not join before that.
    ASSERT_THAT(bodies_of(one->read(1, noon)), ElementsAre("m0"));
    const auto two = join("g", "two");
    EXPECT_THAT(two->read(10, noon), IsEmpty());
    one.reset();

    std::vector<std::string> got;
    for (const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{60};
         got.size() < 3 && std::chrono::steady_clock::now() < give_up;) {
        for (auto& each : bodies_of(two->read(10, noon))) got.push_back(std::move(each));
    }
    EXPECT_THAT(got, ElementsAre("m0", "m1", "m2")) << "at once, with what it left";
}

TEST_P(broker_contract, holds_a_key_while_a_failed_message_waits) {
    deliver(*broker_, {{"a", "k1", "a1"}, {"b", "k1", "a2"}});
    const auto one = join("g", "one");
    one->defer(one->read(1, noon).at(0).entry, 1, noon + 60 * second);
    EXPECT_THAT(join("g", "two")->read(10, noon), IsEmpty());
}

TEST_P(broker_contract, hands_over_what_a_silent_consumer_held) {
    if (!GetParam().takes_over_by_time)
        GTEST_SKIP() << "a member holds what it has for as long as its connection lives";
    deliver(*broker_, notes("m", 2));
    const auto silent = join("g", "silent");
    silent->defer(silent->read(10, noon).at(0).entry, 3, noon + second);
    const auto heir = join("g", "heir");
    EXPECT_THAT(heir->read(10, at(noon + claim - second)), IsEmpty());

    const auto got = heir->read(10, at(noon + claim + second));
    EXPECT_THAT(bodies_of(got), ElementsAre("m0", "m1"));
    EXPECT_EQ(got.at(0).attempts, 3);
    EXPECT_THAT(join("g", "third")->read(10, noon + claim + second), IsEmpty()) << "the heir holds them now";
}

TEST_P(broker_contract, leaves_messages_with_a_consumer_whose_heart_beats) {
    if (!GetParam().takes_over_by_time)
        GTEST_SKIP() << "a member holds what it has for as long as its connection lives";
    deliver(*broker_, notes("m", 1));
    const auto slow = join("g", "slow");
    ASSERT_THAT(slow->read(10, noon), SizeIs(1));
    slow->heartbeat(at(noon + claim - second));
    const auto other = join("g", "other");
    EXPECT_THAT(other->read(10, at(noon + claim + second)), IsEmpty());
    EXPECT_THAT(other->read(10, at(noon + 2 * claim)), SizeIs(1));
}

TEST_P(broker_contract, hands_over_at_once_what_a_consumer_releases) {
    deliver(*broker_, notes("m", 2));
    const auto leaving = join("g", "leaving");
    ASSERT_THAT(leaving->read(10, noon), SizeIs(2));
    leaving->release();
    EXPECT_THAT(bodies_of(join("g", "heir")->read(10, noon)), ElementsAre("m0", "m1"));
}

TEST_P(broker_contract, tells_apart_two_processes_whose_consumers_have_one_name) {
    if (!GetParam().knows_incarnations) GTEST_SKIP() << "a dead member stays one until its session ends";
    if (!GetParam().takes_over_by_time)
        GTEST_SKIP() << "a member holds what it has for as long as its connection lives";
    deliver(*broker_, notes("m", 2));
    const auto one = join("shop-0", incarnation{.id = "1", .place = "here"});
    const auto held = one->read(10, noon);
    ASSERT_THAT(held, SizeIs(2));
    const auto two = join("shop-0", incarnation{.id = "2", .place = "there"});
    const auto three = join("shop-0", incarnation{.id = "3", .place = ""});
    EXPECT_THAT(two->read(10, noon), IsEmpty()) << "the first one may live";
    EXPECT_THAT(three->read(10, noon), IsEmpty());

    one->ack(std::vector{held.at(0).entry});
    EXPECT_THAT(bodies_of(two->read(10, at(noon + claim + second))), ElementsAre("m1")) << "what was not acknowledged";
    one->ack(std::vector{held.at(1).entry});
    EXPECT_THAT(bodies_of(join("shop-0", incarnation{.id = "2", .place = "there"})->read(10, noon + claim + second)),
                ElementsAre("m1"))
        << "the former holder acknowledges nothing any more";
}

TEST_P(broker_contract, gives_a_restarted_process_at_once_what_it_held) {
    if (!GetParam().knows_incarnations) GTEST_SKIP() << "a dead member stays one until its session ends";
    if (!GetParam().takes_over_by_time)
        GTEST_SKIP() << "a member holds what it has for as long as its connection lives";
    deliver(*broker_, notes("m", 2));
    const auto killed = join("shop-0", incarnation{.id = "1", .place = "here"});
    ASSERT_THAT(killed->read(10, noon), SizeIs(2));
    const auto restarted = join("shop-0", incarnation{.id = "2", .place = "here"});
    EXPECT_THAT(bodies_of(restarted->read(10, noon)), ElementsAre("m0", "m1"));
}

TEST_P(broker_contract, reads_all_that_was_pending_before_anything_new) {
    constexpr int pending = 2500;
    constexpr std::size_t page = 500;
    deliver(*broker_, notes("old", pending));
    {
        const auto dead = join("g", "dead");
        ASSERT_THAT(dead->read(pending, noon), SizeIs(pending));
        dead->release();
    }
    deliver(*broker_, notes("new", 1));
    const auto heir = join("g", "heir");
    for (int next = 0; next < pending;) {
        const auto got = heir->read(page, noon);
        ASSERT_THAT(got, Not(IsEmpty()));
        for (const auto& each : got) ASSERT_EQ(each.body, "old" + std::to_string(next++));
        heir->ack(entries_of(got));
        if (next == static_cast<int>(2 * page)) {  // an heir may die while it takes over
            heir->release();
        }
    }
    EXPECT_THAT(bodies_of(heir->read(page, noon)), ElementsAre("new0"));
}

TEST_P(broker_contract, lets_a_former_holder_settle_nothing) {
    if (!GetParam().fences_members) GTEST_SKIP() << "its keeper does not know who holds a message at the broker";
    deliver(*broker_, notes("m", 1));
    const auto former = join("g", "former");
    const auto held = former->read(10, noon);
    const auto heir = join("g", "heir");
    ASSERT_THAT(heir->read(10, at(noon + 2 * claim)), SizeIs(1));

    former->defer(held.at(0).entry, 9, noon);
    former->dead_letter(held.at(0), {.reason = "late", .code = "late", .attempts = 9, .at = noon});
    former->ack(entries_of(held));
    const auto still_there = join("g", "heir")->read(10, noon + 2 * claim);
    ASSERT_THAT(still_there, SizeIs(1));
    EXPECT_EQ(still_there[0].attempts, 0);
    EXPECT_THAT(broker_->open_operations()->dead_letters({}), IsEmpty());
}

TEST_P(broker_contract, refuses_to_settle_what_is_no_entry) {
    const auto reader = join("g", "c");
    EXPECT_THROW(reader->defer("1 0", 1, noon), usage_error);
    const std::vector<std::string> strange{"x"};
    EXPECT_THROW(reader->ack(strange), usage_error);
}

// Several consumers of one group, reading, failing and falling silent as chance will have it: each message is settled,
// and those of one key are settled in order.
TEST_P(broker_contract, keeps_the_order_of_keys_whatever_the_consumers_do) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937 random{seed};
    const auto chance = [&](unsigned one_in) { return random() % one_in == 0; };

    constexpr int count = 300;
    deliver(*broker_, notes("", count, 7));

    struct member {
        std::unique_ptr<sluice::testing::consumer> at;
        std::vector<delivery> held;
    };
    std::vector<member> members(3);
    for (std::size_t i = 0; i < members.size(); ++i) members[i].at = join("g", "c" + std::to_string(i));

    std::map<std::string, int> last_of_key;
    std::set<int> done;
    int settled = 0;
    auto now = noon;
    for (int turn = 0; settled < count; ++turn) {
        ASSERT_LT(turn, 10'000);
        const auto index = random() % members.size();
        auto& [at, held] = members[index];
        now = this->at(now + second);
        if (chance(20)) {  // restart
            at = join("g", "c" + std::to_string(index));
            held.clear();
        }
        for (auto& [other, of_other] : members) other->heartbeat(now);
        for (auto& d : at->read(1 + random() % 20, now)) held.push_back(std::move(d));
        std::ranges::stable_sort(held, {}, [](const delivery& d) { return std::stoi(d.body); });
        while (!held.empty() && !chance(10)) {
            const auto number = std::stoi(held.front().body);
            const bool is_new = done.insert(number).second;
            if (!is_new && !GetParam().confirms_acks) {
                at->ack(std::vector{held.front().entry});
                held.erase(held.begin());
                continue;
            }
            auto [last, first_time] = last_of_key.try_emplace(held.front().key, -1);
            ASSERT_LT(last->second, number) << "of key " << held.front().key;
            last->second = number;
            at->ack(std::vector{held.front().entry});
            held.erase(held.begin());
            ++settled;
        }
    }
    // A broker may write down a moment later what was acknowledged: whoever leaves waits for that, and whoever is
    // thrown out, because the clock is set forward, cannot.
    if (GetParam().confirms_acks) members.clear();
    EXPECT_THAT(join("g", "c0")->read(10, at(now + 10 * claim)), IsEmpty());
}

TEST_P(broker_contract, wakes_a_waiting_consumer_when_something_is_published) {
    const auto reader = join("g", "c");
    ASSERT_THAT(reader->read(10, noon), IsEmpty());
    const std::jthread other{[&] { deliver(*broker_, notes("m", 1)); }};
    wake_signal signal;
    EXPECT_NE(reader->wait(signal, 60 * second), wake_reason::timed_out);
    EXPECT_THAT(reader->read(10, noon), SizeIs(1));
}

TEST_P(broker_contract, does_not_sleep_over_what_came_since_the_last_look) {
    const auto reader = join("g", "c");
    ASSERT_THAT(reader->read(10, noon), IsEmpty());
    deliver(*broker_, notes("m", 1));
    wake_signal signal;
    EXPECT_NE(reader->wait(signal, 60 * second), wake_reason::timed_out);
}

TEST_P(broker_contract, sleeps_when_nothing_happens) {
    const auto reader = join("g", "c");
    ASSERT_THAT(reader->read(10, noon), IsEmpty());
    wake_signal signal;
    EXPECT_EQ(reader->wait(signal, duration{std::chrono::milliseconds{5}}), wake_reason::timed_out);
}

TEST_P(broker_contract, wakes_at_the_signal) {
    const auto reader = join("g", "c");
    ASSERT_THAT(reader->read(10, noon), IsEmpty());
    wake_signal signal;
    const std::jthread other{[&] { signal.notify(); }};
    EXPECT_EQ(reader->wait(signal, 60 * second), wake_reason::signalled);
}

// A wake-up that is lost once in a thousand commits is lost every day.
TEST_P(broker_contract, misses_no_commit_while_it_waits) {
    constexpr int count = 300;
    const auto reader = join("g", "c");
    const std::jthread other{[&] {
        const auto to = broker_->open_publisher();
        for (int i = 0; i < count;) {
            // A reader that is always faster may keep a file locked for longer than a writer waits.
            const auto verdicts = publish(*to, {{std::to_string(i), "k"}});
            if (std::holds_alternative<delivered>(verdicts.at(0))) ++i;
        }
    }};
    wake_signal signal;
    for (int got = 0; got < count;) {
        const auto some = reader->read(10, noon);
        reader->ack(entries_of(some));
        got += static_cast<int>(some.size());
        if (some.empty()) {
            ASSERT_NE(reader->wait(signal, 60 * second), wake_reason::timed_out);
        }
    }
}

// A subscription with priority lanes waits for both of its streams.
TEST_P(broker_contract, wakes_for_a_message_in_any_of_the_streams_that_are_waited_for) {
    const auto reader = join_both_lanes();
    int made = 0;
    for (const char* stream : {"shop::order:backfill", "shop::order", "shop::order:backfill"}) {
        static_cast<void>(reader->read(primary, 10, noon));
        static_cast<void>(reader->read(backfill, 10, noon));
        const std::jthread other{[&] { deliver(*broker_, {{fmt::format("{}", ++made), "k", "{}", stream}}); }};
        wake_signal signal;
        EXPECT_NE(reader->wait(signal, 60 * second), wake_reason::timed_out) << stream;
    }
}

TEST_P(broker_contract, sleeps_over_nothing_that_came_to_another_stream_since_its_last_look) {
    const auto reader = join_both_lanes();
    ASSERT_THAT(reader->read(primary, 10, noon), IsEmpty());
    ASSERT_THAT(reader->read(backfill, 10, noon), IsEmpty());
    deliver(*broker_, {{"1", "k", "{}", "shop::order:backfill"}});
    ASSERT_THAT(reader->read(primary, 10, noon), IsEmpty()) << "this look did not see it";
    wake_signal signal;
    EXPECT_NE(reader->wait(signal, 60 * second), wake_reason::timed_out);
    EXPECT_THAT(reader->read(backfill, 10, noon), SizeIs(1));
    EXPECT_THAT(reader->read(primary, 10, noon), IsEmpty());
    EXPECT_EQ(reader->wait(signal, duration{std::chrono::milliseconds{5}}), wake_reason::timed_out);
}

TEST_P(broker_contract, wakes_at_the_signal_while_it_waits_for_several_streams) {
    const auto reader = join_both_lanes();
    ASSERT_THAT(reader->read(backfill, 10, noon), IsEmpty());
    ASSERT_THAT(reader->read(primary, 10, noon), IsEmpty());
    ASSERT_THAT(reader->read(backfill, 10, noon), IsEmpty()) << "joining may have been news";
    wake_signal signal;
    const std::jthread caller{[&] { signal.notify(); }};
    EXPECT_EQ(reader->wait(signal, 60 * second), wake_reason::signalled);
}

TEST_P(broker_contract, settles_what_came_from_one_stream_in_that_stream_alone) {
    deliver(*broker_, {{"1", "k", "first", "shop::order"}, {"2", "k", "second", "shop::order:backfill"}});
    const auto reader = join_both_lanes();
    const auto from_primary = reader->read(primary, 10, noon);
    const auto from_backfill = reader->read(backfill, 10, noon);
    ASSERT_THAT(bodies_of(from_primary), ElementsAre("first"));
    ASSERT_THAT(bodies_of(from_backfill), ElementsAre("second"));
    EXPECT_EQ(from_backfill[0].stream, "shop::order:backfill");
    reader->ack(primary, entries_of(from_primary));
    reader->own_keeper()->defer(backfill, from_backfill[0], 1, noon + second);
    reader->release();

    const auto heir = join_both_lanes();
    EXPECT_THAT(heir->read(primary, 10, noon), IsEmpty());
    const auto again = heir->read(backfill, 10, noon);
    ASSERT_THAT(bodies_of(again), ElementsAre("second"));
    EXPECT_EQ(again[0].attempts, 1);
}

}  // namespace
}  // namespace sluice::broker::contract
