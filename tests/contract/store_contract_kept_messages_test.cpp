#include "store_contract.hpp"

#include <string>
#include <vector>

#include "store/kept_messages.hpp"

namespace sluice::store::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const kept_place here{.broker = "partner", .stream = "shop::order", .group = "mirror.orders"};

std::vector<std::string> bodies_of(const std::vector<kept_message>& messages) {
    std::vector<std::string> bodies;
    for (const kept_message& each : messages) bodies.push_back(each.body);
    return bodies;
}

class store_kept_messages : public store_contract {
protected:
    /// A claim that begins now, of the time that the store goes by.
    [[nodiscard]] static kept_claim claim(std::string owner, duration ttl = 60s) {
        return {.owner = std::move(owner), .now = system_clock().now(), .ttl = ttl};
    }
    sequence keep(const std::string& body, const std::string& key, const std::string& owner = "one",
                  const kept_place& at = here) {
        const kept_message message{.at = at, .entry = "entry of " + body, .key = key, .body = body, .attempts = 1};
        return kept_->keep({&message, 1}, claim(owner)).at(0);
    }
    sequence bury(const std::string& body, const std::string& key = {}, const kept_place& at = here) {
        const kept_message message{.at = at,
                                   .entry = "entry of " + body,
                                   .key = key,
                                   .body = body,
                                   .attempts = 3,
                                   .reason = "no such order",
                                   .code = "handler_failed",
                                   .consumer = "host-1",
                                   .dead_since = system_clock().now()};
        return kept_->keep({&message, 1}, claim("one")).at(0);
    }
    [[nodiscard]] std::vector<kept_message> take(const std::string& owner, const kept_page& page = {},
                                                 const std::vector<sequence>& in_hand = {}) {
        return kept_->take(here, page, in_hand, claim(owner));
    }
    /// What a handler of the message commits, under the mark of the message.
    void commit_handled(sequence number, const std::string& key, const std::string& message = "m-1",
                        const std::string& owner = "one") {
        store_->open_unit()->commit(
            {.events = {event("of " + message)},
             .marks = {{.message_id = message, .handler = "mirror.orders"}},
             .kept = kept_removal{.at = here, .owner = owner, .name = {.number = number, .key = key}},
             .at = at(0)});
    }
    void give_all_back(const std::string& owner = "one") { kept_->release("partner", "mirror.orders", owner); }

    std::unique_ptr<kept_message_session> kept_ = store_->open_kept_messages();
};

TEST_P(store_kept_messages, keeps_all_that_a_message_has) {
    const auto due = system_clock().now() + 60s;
    const kept_message message{.at = here,
                               .entry = "0-17",
                               .key = "shop::order-o-1",
                               .body = std::string{"\x00\xff raw", 6},
                               .head = {{"traceparent", "00-1"}, {"\xff", "\x00"}},
                               .content_type = "application/json",
                               .attempts = 2,
                               .not_before = due};
    const auto number = kept_->keep({&message, 1}, claim("one")).at(0);
    give_all_back();
    const auto taken = take("two");
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_EQ(taken[0].number, number);
    EXPECT_EQ(taken[0].at, here);
    EXPECT_EQ(taken[0].entry, "0-17");
    EXPECT_EQ(taken[0].key, message.key);
    EXPECT_EQ(taken[0].body, message.body);
    EXPECT_EQ(taken[0].head, message.head);
    EXPECT_EQ(taken[0].content_type, message.content_type);
    EXPECT_EQ(taken[0].attempts, 2);
    ASSERT_TRUE(taken[0].not_before) << "it is handed out before it is due, with its time";
    EXPECT_LE(std::chrono::abs((*taken[0].not_before - due)), 50s);
}

TEST_P(store_kept_messages, keeps_an_entry_once) {
    const auto first = keep("a", "k");
    EXPECT_EQ(keep("a", "k"), first);
    EXPECT_GT(keep("a", "k", "one", {.broker = "partner", .stream = "shop::order", .group = "other"}), first);
}

TEST_P(store_kept_messages, knows_which_keys_wait) {
    keep("a", "k1");
    keep("b", "");
    bury("c", "k2");
    const std::vector<std::string> asked{"k1", "k2", "k3", "\xff"};
    EXPECT_THAT(kept_->waiting_keys(here, asked), ElementsAre("k1"));
    keep("d", "\xff");
    EXPECT_THAT(kept_->waiting_keys(here, asked), UnorderedElementsAre("k1", "\xff"));
    EXPECT_THAT(kept_->waiting_keys({.broker = "partner", .stream = "else", .group = here.group}, asked), IsEmpty());
}

TEST_P(store_kept_messages, gives_a_key_to_one_reader_in_order) {
    keep("a1", "a");
    keep("a2", "a");
    keep("b1", "b", "two");
    keep("alone", "");
    give_all_back();
    EXPECT_THAT(bodies_of(take("three", {.limit = 1})), ElementsAre("a1"));
    EXPECT_THAT(bodies_of(take("four")), ElementsAre("alone")) << "a2 is behind a1, and b1 is with two";
    EXPECT_THAT(bodies_of(take("three", {}, {})), ElementsAre("a1", "a2")) << "all that it has, unless it says so";
    EXPECT_THAT(bodies_of(take("two")), ElementsAre("b1"));
}

TEST_P(store_kept_messages, bounds_what_comes_behind_others) {
    const auto first = keep("a1", "a");
    for (const char* body : {"a2", "a3", "a4"}) keep(body, "a");
    keep("b1", "b");
    give_all_back();
    EXPECT_THAT(bodies_of(take("one", {.limit = 10, .behind = 1})), ElementsAre("a1", "a2", "b1"));
    EXPECT_THAT(bodies_of(take("one", {.limit = 10, .behind = 0}, {first})), ElementsAre("b1"));
}

TEST_P(store_kept_messages, lets_the_next_of_a_key_be_first_when_one_is_gone) {
    const auto first = keep("a1", "a");
    keep("a2", "a");
    keep("a3", "a");
    kept_->remove(here, "one", std::vector<kept_name>{{.number = first, .key = "a"}});
    auto taken = take("two");
    ASSERT_THAT(bodies_of(taken), ElementsAre("a2", "a3"));

    kept_message failed = taken[0];
    failed.reason = "no such order";
    failed.attempts = 3;
    failed.dead_since = system_clock().now();
    kept_->bury({.number = failed.number, .key = "a"}, "two", failed);
    EXPECT_THAT(bodies_of(take("two")), ElementsAre("a3"));
    EXPECT_THAT(bodies_of(kept_->dead({.broker = "partner"})), ElementsAre("a2"));
    EXPECT_THAT(kept_->waiting_keys(here, std::vector<std::string>{"a"}), ElementsAre("a"));
}

TEST_P(store_kept_messages, removes_a_message_with_what_its_handler_commits) {
    const auto first = keep("a1", "a");
    keep("a2", "a");
    const auto alone = keep("alone", "");
    commit_handled(first, "a", "m-1");
    EXPECT_THAT(bodies_of(take("two")), ElementsAre("a2"));
    commit_handled(alone, "", "m-2");
    EXPECT_THAT(bodies_of(take("one")), IsEmpty());
    EXPECT_TRUE(unit_->is_marked("m-1", "mirror.orders"));
}

TEST_P(store_kept_messages, keeps_a_message_whose_handler_could_not_commit) {
    const auto number = keep("a1", "a");
    keep("a2", "a");
    commit({}, {}, {{.message_id = "m-1", .handler = "mirror.orders"}});
    EXPECT_THROW(commit_handled(number, "a"), duplicate_message);
    EXPECT_EQ(count_rows(), 0U);
    EXPECT_THAT(bodies_of(take("one")), ElementsAre("a1", "a2"));
}

TEST_P(store_kept_messages, writes_nothing_when_there_is_a_message_to_remove_only) {
    const auto number = keep("a", "k");
    unit_->commit({.kept = kept_removal{.at = here, .owner = "one", .name = {.number = number, .key = "k"}}});
    EXPECT_THAT(bodies_of(take("one")), ElementsAre("a"));
}

TEST_P(store_kept_messages, lets_a_former_owner_change_nothing) {
    const auto number = keep("a", "k");
    give_all_back();
    ASSERT_THAT(take("two"), SizeIs(1));
    kept_->defer(number, "one", 9, system_clock().now());
    kept_->remove(here, "one", std::vector<kept_name>{{.number = number, .key = "k"}});
    kept_->bury({.number = number, .key = "k"}, "one", {.at = here, .dead_since = system_clock().now()});
    commit_handled(number, "k");
    give_all_back("two");
    const auto taken = take("three");
    ASSERT_THAT(taken, SizeIs(1));
    EXPECT_EQ(taken[0].attempts, 1);
    kept_->defer(number, "three", 2, system_clock().now());
    EXPECT_EQ(take("three").at(0).attempts, 2);
}

TEST_P(store_kept_messages, hands_over_what_a_silent_reader_held) {
    const kept_message message{.at = here, .entry = "1", .key = "k", .body = "a"};
    static_cast<void>(kept_->keep({&message, 1}, claim("silent", duration{0})));
    EXPECT_THAT(bodies_of(take("heir")), ElementsAre("a"));
    EXPECT_THAT(take("third"), IsEmpty());
    kept_->renew("partner", "mirror.orders", claim("heir", duration{0}));
    EXPECT_THAT(bodies_of(take("third")), ElementsAre("a"));
}

TEST_P(store_kept_messages, replays_dead_letters_behind_all_others_of_their_key) {
    const auto first = bury("a1", "a");
    bury("alone");
    keep("a2", "a");
    EXPECT_EQ(kept_->count_dead({.broker = "partner"}), 2U);
    EXPECT_EQ(kept_->replay({.broker = "partner", .number = first}), 1U);
    EXPECT_EQ(kept_->replay({.broker = "partner"}), 1U);
    EXPECT_EQ(kept_->count_dead({.broker = "partner"}), 0U);
    EXPECT_THAT(bodies_of(take("two")), ElementsAre("alone")) << "a1 is behind a2, which one has";
    const auto all = take("one");
    ASSERT_THAT(bodies_of(all), ElementsAre("a2", "a1"));
    EXPECT_EQ(all[1].attempts, 0);
    EXPECT_GT(all[1].number, first);
}

TEST_P(store_kept_messages, replays_a_whole_key_in_its_order) {
    for (const char* body : {"a1", "a2", "a3"}) bury(body, "a");
    EXPECT_EQ(kept_->replay({.broker = "partner", .limit = 2}), 2U);
    EXPECT_EQ(kept_->replay({.broker = "partner", .limit = 2}), 1U);
    EXPECT_THAT(bodies_of(take("one")), ElementsAre("a1", "a2", "a3"));
}

TEST_P(store_kept_messages, lists_and_purges_dead_letters) {
    bury("a");
    bury("b", {}, {.broker = "partner", .stream = "shop::customer", .group = "mirror.customers"});
    bury("c", {}, {.broker = "other", .stream = "shop::order", .group = "mirror.orders"});
    keep("waits", "k");
    const auto dead = kept_->dead({.broker = "partner"});
    ASSERT_THAT(bodies_of(dead), ElementsAre("b", "a")) << "newest first";
    EXPECT_EQ(dead[1].reason, "no such order");
    EXPECT_EQ(dead[1].code, "handler_failed");
    EXPECT_EQ(dead[1].consumer, "host-1");
    EXPECT_EQ(dead[1].attempts, 3);
    EXPECT_TRUE(dead[1].dead_since);
    EXPECT_THAT(bodies_of(kept_->dead({.broker = "partner", .group = "mirror.customers"})), ElementsAre("b"));
    EXPECT_THAT(bodies_of(kept_->dead({.broker = "partner", .limit = 1})), ElementsAre("b"));
    EXPECT_EQ(kept_->purge({.broker = "partner", .stream = "shop::customer"}), 1U);
    EXPECT_EQ(kept_->purge({.broker = "partner", .limit = 5}), 1U);
    EXPECT_EQ(kept_->count_dead({.broker = "other"}), 1U);
    EXPECT_THAT(bodies_of(take("one")), ElementsAre("waits"));
}

TEST_P(store_kept_messages, counts_renames_and_retires_groups) {
    keep("a1", "a");
    keep("a2", "a");
    bury("dead");
    const auto counts = kept_->counts("partner");
    ASSERT_THAT(counts, SizeIs(1));
    EXPECT_EQ(counts[0].at, here);
    EXPECT_EQ(counts[0].waiting, 1);
    EXPECT_EQ(counts[0].claimed, 1);
    EXPECT_EQ(counts[0].dead, 1);

    kept_->rename_group("partner", "mirror.orders", "mirror.all");
    EXPECT_THAT(take("one"), IsEmpty());
    EXPECT_EQ(kept_->counts("partner").at(0).at.group, "mirror.all");
    kept_->retire_group("partner", "shop::customer", "mirror.all");
    EXPECT_THAT(kept_->counts("partner"), SizeIs(1));
    kept_->retire_group("partner", "", "mirror.all");
    EXPECT_THAT(kept_->counts("partner"), IsEmpty());
}

TEST_P(store_kept_messages, leaves_no_message_behind_one_that_leaves_meanwhile) {
    // Whoever keeps a message and whoever removes the last of its key never miss each other.
    for (int round = 0; round < 30; ++round) {
        const std::string key = "k" + std::to_string(round);
        const auto first = keep("first of " + key, key);
        std::jthread leaving{[&, of_itself = round % 2 == 0] {
            if (!of_itself) return commit_handled(first, key, "m-" + key);
            store_->open_kept_messages()->remove(here, "one", std::vector<kept_name>{{.number = first, .key = key}});
        }};
        keep("second of " + key, key);
        leaving.join();
        give_all_back();
        EXPECT_THAT(bodies_of(take("one")), ElementsAre("second of " + key));
        kept_->retire_group("partner", "", "mirror.orders");
    }
}

SLUICE_FOR_EVERY_STORE(store_kept_messages);

}  // namespace
}  // namespace sluice::store::contract
