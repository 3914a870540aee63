#include <limits>

#include <sluice/error.hpp>

#include "contract/broker_contract.hpp"

namespace sluice::broker::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const death exhausted{.reason = "no such order", .code = "handler_failed", .attempts = 3, .at = noon + second};

/// Lets a group give up on everything that it can read.
void bury_all(broker& in, const std::string& group, const std::string& stream = "shop::order") {
    const auto reader = sluice::testing::open_consumer(in, stream, {.group = group, .consumer = "c", .claim = claim});
    for (const auto& d : reader->read(100, noon)) reader->dead_letter(d, exhausted);
}

TEST_P(broker_contract, sets_a_message_aside_with_its_reason) {
    deliver(*broker_, {{"a", "k", std::string("\0{", 2)}, {"b", "k", "next"}});
    auto reader = join("g", "c");
    const auto got = reader->read(1, noon);
    reader->dead_letter(got.at(0), exhausted);
    reader.reset();

    const auto dead = broker_->open_operations()->dead_letters({});
    ASSERT_THAT(dead, SizeIs(1));
    EXPECT_EQ(dead[0].stream, "shop::order");
    EXPECT_EQ(dead[0].original_entry, got[0].entry);
    EXPECT_EQ(dead[0].group, "g");
    EXPECT_EQ(dead[0].consumer, "c");
    EXPECT_EQ(dead[0].reason, "no such order");
    EXPECT_EQ(dead[0].code, "handler_failed");
    EXPECT_EQ(dead[0].attempts, 3);
    EXPECT_EQ(dead[0].failed_at, noon + second);
    EXPECT_EQ(dead[0].body, std::string("\0{", 2));
    EXPECT_THAT(bodies_of(join("g", "c")->read(10, noon)), ElementsAre("next")) << "acknowledged, and the key goes on";
}

TEST_P(broker_contract, lists_dead_letters_newest_first_and_filtered) {
    deliver(*broker_, {{"a", "k", "1"}, {"b", "k", "2"}, {"c", "k", "3", "shop::customer"}});
    bury_all(*broker_, "g1");
    bury_all(*broker_, "g2");
    bury_all(*broker_, "g1", "shop::customer");
    const auto operations = broker_->open_operations();
    const auto bodies = [&](const dead_letter_filter& filter) {
        std::vector<std::string> found;
        for (const auto& d : operations->dead_letters(filter)) found.push_back(d.body);
        return found;
    };
    EXPECT_THAT(bodies({}), ElementsAre("3", "2", "1", "2", "1"));
    EXPECT_THAT(bodies({.stream = "shop::order", .group = "g1"}), ElementsAre("2", "1"));
    EXPECT_THAT(bodies({.stream = "shop::customer"}), ElementsAre("3"));
    EXPECT_THAT(bodies({.limit = 1}), ElementsAre("3"));
    EXPECT_THAT(bodies({.id = operations->dead_letters({}).at(4).id}), ElementsAre("1"));
    EXPECT_THAT(bodies({.id = "no-such-id"}), IsEmpty());
    EXPECT_THAT(bodies({.stream = "elsewhere"}), IsEmpty());
}

TEST_P(broker_contract, replays_to_the_group_that_failed_and_to_no_other) {
    deliver(*broker_, notes("m", 3));
    const auto well = join("well", "c");
    well->ack(entries_of(well->read(10, noon)));
    bury_all(*broker_, "failing");

    const auto operations = broker_->open_operations();
    EXPECT_EQ(operations->replay({.group = "failing"}).changed, 3U);
    EXPECT_THAT(operations->dead_letters({}), IsEmpty());

    const auto got = join("failing", "somebody new")->read(10, noon);
    EXPECT_THAT(bodies_of(got), ElementsAre("m0", "m1", "m2"));
    for (const auto& d : got) {
        EXPECT_EQ(d.attempts, 0);
        EXPECT_FALSE(d.not_before);
        EXPECT_EQ(d.key, GetParam().knows_keys ? "order-0" : "");
    }
    EXPECT_THAT(well->read(10, noon), IsEmpty());
    EXPECT_THAT(bodies_of(join("new", "c")->read(10, noon)), ElementsAre("m0", "m1", "m2")) << "each once";
}

TEST_P(broker_contract, replays_the_oldest_first_up_to_the_limit) {
    deliver(*broker_, notes("m", 3));
    bury_all(*broker_, "g");
    EXPECT_EQ(broker_->open_operations()->replay({.limit = 2}).changed, 2U);
    EXPECT_THAT(bodies_of(join("g", "c")->read(10, noon)), ElementsAre("m0", "m1"));
}

TEST_P(broker_contract, changes_everything_that_matches_when_nobody_limits_it) {
    constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();
    constexpr int letters = 1200;
    deliver(*broker_, notes("m", letters));
    const auto reader = join("g", "c");
    for (const auto& d : reader->read(letters, noon)) reader->dead_letter(d, exhausted);
    const auto operations = broker_->open_operations();
    EXPECT_EQ(operations->count({}), letters);
    EXPECT_EQ(operations->count({.group = "g", .limit = 1}), letters) << "a limit is for what is listed";
    EXPECT_EQ(operations->count({.group = "other"}), 0U);

    const auto outcome = operations->replay({.limit = everything});
    EXPECT_EQ(outcome.changed, letters);
    EXPECT_THAT(outcome.left, IsEmpty());
    EXPECT_EQ(operations->count({}), 0U);
    const auto again = reader->read(letters, noon);
    ASSERT_THAT(again, SizeIs(letters));
    for (const auto& d : again) reader->dead_letter(d, exhausted);
    EXPECT_EQ(operations->purge({.limit = everything}).changed, letters);
    EXPECT_EQ(operations->groups().at(0).dead, 0);
}

TEST_P(broker_contract, counts_dead_letters_as_they_come_and_go) {
    const auto operations = broker_->open_operations();
    const auto dead = [&] { return operations->groups().at(0).dead; };
    deliver(*broker_, notes("m", 5));
    const auto reader = join("g", "c");
    const auto got = reader->read(5, noon);
    EXPECT_EQ(dead(), 0);
    for (std::size_t i = 0; i < 3; ++i) reader->dead_letter(got.at(i), exhausted);
    EXPECT_EQ(dead(), 3);
    EXPECT_EQ(operations->replay({.limit = 1}).changed, 1U);
    EXPECT_EQ(dead(), 2);
    EXPECT_EQ(operations->purge({.limit = 1}).changed, 1U);
    reader->dead_letter(got.at(3), exhausted);
    EXPECT_EQ(dead(), 2);
    EXPECT_EQ(broker_->open_operations()->groups().at(0).dead, 2) << "for somebody else, too";
}

TEST_P(broker_contract, tells_of_a_name_that_two_living_processes_have) {
    if (!GetParam().knows_incarnations) GTEST_SKIP() << "it tells nobody of its members";
    if (!GetParam().takes_over_by_time) GTEST_SKIP() << "members are connections to it";
    if (!broker_->can().cross_process) GTEST_SKIP() << "one process has it for itself";
    deliver(*broker_, {{"a", "k1", "1"}, {"b", "k2", "2"}});
    const auto operations = broker_->open_operations();
    const auto one = join("shop-0", incarnation{.id = "1", .place = "here"});
    ASSERT_THAT(one->read(1, noon), SizeIs(1));
    EXPECT_EQ(operations->groups().at(0).shared_name, "");
    const auto two = join("shop-0", incarnation{.id = "2", .place = "there"});
    static_cast<void>(two->read(1, noon));
    EXPECT_EQ(operations->groups().at(0).shared_name, "shop-0");
}

TEST_P(broker_contract, replays_what_is_given_up_again) {
    deliver(*broker_, notes("m", 1));
    const auto operations = broker_->open_operations();
    for (int round = 0; round < 3; ++round) {
        bury_all(*broker_, "g");
        EXPECT_EQ(operations->replay({}).changed, 1U);
    }
    EXPECT_THAT(join("g", "c")->read(10, noon), SizeIs(1));
}

TEST_P(broker_contract, wakes_the_group_for_a_replay) {
    deliver(*broker_, notes("m", 1));
    bury_all(*broker_, "g");
    const auto reader = join("g", "c");
    ASSERT_THAT(reader->read(10, noon), IsEmpty());
    EXPECT_EQ(broker_->open_operations()->replay({}).changed, 1U);
    base::wake_signal signal;
    EXPECT_NE(reader->wait(signal, 60 * second), base::wake_reason::timed_out);
}

TEST_P(broker_contract, purges_dead_letters) {
    deliver(*broker_, notes("m", 3));
    bury_all(*broker_, "g");
    const auto operations = broker_->open_operations();
    EXPECT_EQ(operations->purge({.group = "other"}).changed, 0U);
    EXPECT_EQ(operations->purge({.id = operations->dead_letters({}).at(0).id}).changed, 1U);
    EXPECT_EQ(operations->purge({}).changed, 2U);
    EXPECT_THAT(operations->dead_letters({}), IsEmpty());
    EXPECT_THAT(join("g", "c")->read(10, noon), IsEmpty());
}

TEST_P(broker_contract, tells_how_far_each_group_is) {
    if (!GetParam().keeps_history) GTEST_SKIP() << "a group has only what came since it began";
    const auto operations = broker_->open_operations();
    EXPECT_THAT(operations->groups(), IsEmpty());

    deliver(*broker_, notes("m", 5));
    const auto reader = join("g", "c");
    const auto got = reader->read(3, noon);
    reader->ack(std::vector{got.at(0).entry});
    reader->dead_letter(got.at(1), exhausted);

    const auto groups = operations->groups();
    ASSERT_THAT(groups, SizeIs(1));
    EXPECT_EQ(groups[0].stream, "shop::order");
    EXPECT_EQ(groups[0].group, "g");
    EXPECT_EQ(groups[0].length, 5);
    EXPECT_EQ(groups[0].lag, 2);
    EXPECT_EQ(groups[0].pending, 1);
    EXPECT_EQ(groups[0].dead, 1);

    EXPECT_EQ(operations->replay({}).changed, 1U);
    EXPECT_EQ(operations->groups().at(0).lag, 3) << "a replayed message is to be delivered";
}

TEST_P(broker_contract, knows_whose_a_group_is) {
    deliver(*broker_, notes("m", 1));
    const auto reader =
        sluice::testing::open_consumer(*broker_, "shop::order", {.group = "g", .consumer = "c", .domain = "shop"});
    static_cast<void>(reader->read(10, noon));
    const auto operations = broker_->open_operations();
    EXPECT_THAT(operations->known_groups(), ElementsAre(known_group{"shop::order", "g", "shop"}));
    EXPECT_EQ(operations->groups().at(0).domain, "shop");
}

/// A group that has acknowledged m0, buried m1, put off m2, and not read the rest of five.
void leave_something_of_everything(broker& on, const std::string& group) {
    deliver(on, notes("m", 5));
    const auto reader =
        sluice::testing::open_consumer(on, "shop::order", {.group = group, .consumer = "c", .claim = claim});
    const auto got = reader->read(3, noon);
    reader->ack(std::vector{got.at(0).entry});
    reader->dead_letter(got.at(1), exhausted);
    reader->defer(got.at(2).entry, 2, noon + second);
}

TEST_P(broker_contract, renames_a_group_with_all_that_it_has) {
    if (!GetParam().keeps_history) GTEST_SKIP() << "a group has only what came since it began";
    leave_something_of_everything(*broker_, "old");
    const auto operations = broker_->open_operations();
    EXPECT_EQ(operations->rename_group("old", "new"), 1U);

    const auto groups = operations->groups();
    ASSERT_THAT(groups, SizeIs(1));
    EXPECT_EQ(groups[0].group, "new");
    EXPECT_EQ(groups[0].lag, 2);
    EXPECT_EQ(groups[0].pending, 1);
    EXPECT_EQ(groups[0].dead, 1);
    EXPECT_EQ(operations->dead_letters({.group = "new"}).at(0).body, "m1");
    EXPECT_EQ(operations->dead_letters({.group = "new"}).at(0).reason, "no such order");

    const auto got = join("new", "c")->read(10, noon);
    EXPECT_THAT(bodies_of(got), ElementsAre("m2", "m3", "m4"));
    EXPECT_EQ(got.at(0).attempts, 2);
    EXPECT_TRUE(got.at(0).not_before) << "it still waits";
    EXPECT_EQ(operations->rename_group("old", "new"), 0U) << "there is nothing left to rename";
}

TEST_P(broker_contract, renames_a_group_with_what_is_on_its_way_back) {
    if (!GetParam().keeps_history) GTEST_SKIP() << "a group has only what came since it began";
    deliver(*broker_, notes("m", 3));
    bury_all(*broker_, "old");
    const auto operations = broker_->open_operations();
    EXPECT_EQ(operations->replay({}).changed, 3U);
    {
        const auto reader = join("old", "c");
        const auto got = reader->read(1, noon);
        ASSERT_THAT(bodies_of(got), ElementsAre("m0"));
        reader->defer(got.at(0).entry, 1, noon + second);
    }
    EXPECT_EQ(operations->rename_group("old", "new"), 1U);
    const auto got = join("new", "c")->read(10, noon);
    EXPECT_THAT(bodies_of(got), UnorderedElementsAre("m0", "m1", "m2"));
    for (const auto& d : got) EXPECT_EQ(d.attempts, d.body == "m0" ? 1 : 0);
}

TEST_P(broker_contract, gives_no_group_the_name_of_another) {
    deliver(*broker_, notes("m", 3));
    bury_all(*broker_, "old");
    static_cast<void>(join("new", "c")->read(1, noon));
    const auto operations = broker_->open_operations();
    EXPECT_THROW(operations->rename_group("old", "new"), usage_error);
    EXPECT_THAT(operations->dead_letters({.group = "old"}), SizeIs(3)) << "nothing was changed";
}

TEST_P(broker_contract, retires_a_group_with_all_that_it_has) {
    if (!GetParam().keeps_history) GTEST_SKIP() << "a group has only what came since it began";
    leave_something_of_everything(*broker_, "old");
    bury_all(*broker_, "well");
    const auto operations = broker_->open_operations();
    EXPECT_EQ(operations->retire_group("shop::customer", "old"), 0U) << "another stream";
    EXPECT_EQ(operations->retire_group("", "old"), 1U);
    ASSERT_THAT(operations->groups(), SizeIs(1));
    EXPECT_EQ(operations->groups().at(0).group, "well");
    EXPECT_THAT(operations->dead_letters({.group = "old"}), IsEmpty());
    EXPECT_THAT(operations->dead_letters({.group = "well"}), SizeIs(5));
    const auto again = join("old", "c")->read(10, noon);
    EXPECT_THAT(bodies_of(again), ElementsAre("m0", "m1", "m2", "m3", "m4")) << "a new group of that name begins anew";
    EXPECT_EQ(again.at(2).attempts, 0);
}

TEST_P(broker_contract, lets_a_new_group_begin_where_it_wants_to) {
    if (!GetParam().keeps_history) GTEST_SKIP() << "a group has only what came since it began";
    deliver(*broker_, notes("before", 2));
    const auto begin = [&](const std::string& group, start from) {
        return sluice::testing::open_consumer(*broker_, "shop::order",
                                              {.group = group, .consumer = "c", .claim = claim, .from = from});
    };
    const auto all = begin("all", start::beginning);
    auto only_new = begin("new", start::now);
    EXPECT_THAT(bodies_of(all->read(10, noon)), ElementsAre("before0", "before1"));
    EXPECT_THAT(only_new->read(10, noon), IsEmpty());
    deliver(*broker_, notes("after", 1));
    EXPECT_THAT(bodies_of(all->read(10, noon)), ElementsAre("after0"));
    EXPECT_THAT(bodies_of(only_new->read(10, noon)), ElementsAre("after0"));
    only_new.reset();
    EXPECT_THAT(bodies_of(begin("new", start::now)->read(10, noon)), ElementsAre("after0"))
        << "one that exists goes on where it is";
    EXPECT_THAT(bodies_of(begin("since", date_time::parse("2020-01-01T00:00:00Z"))->read(10, noon)), SizeIs(3));
}

}  // namespace
}  // namespace sluice::broker::contract
