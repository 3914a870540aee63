#include "contract/store_contract.hpp"

/// What goes on inside a bounded context: streams, snapshots, outcomes of commands, scheduled messages.
namespace sluice::store::contract {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

[[nodiscard]] event_write event_of(std::string message_id, const std::string& category, const std::string& id) {
    auto write = event(std::move(message_id), id);
    write.event.stream = category + "-" + id;
    write.event.stream_category = category;
    return write;
}

[[nodiscard]] std::vector<std::string> ids(const std::vector<stream_event>& events) {
    std::vector<std::string> all;
    for (const auto& each : events) all.push_back(each.event.message_id);
    return all;
}

[[nodiscard]] command_outcome outcome(std::string key, date_time expires_at = at(3600)) {
    return {.key = std::move(key),
            .command = "Shop.PlaceOrder.v1",
            .fingerprint = "f-1",
            .succeeded = true,
            .content = R"({"order":"Grüße"})",
            .expires_at = expires_at};
}

[[nodiscard]] scheduled_message message_due(std::string id, date_time due) {
    auto write = event("s-" + id);
    return {.id = std::move(id), .due = due, .message = std::move(write)};
}

class store_streams : public store_contract {};
SLUICE_FOR_EVERY_STORE(store_streams);

TEST_P(store_streams, are_read_from_a_position_on) {
    commit({event("m-1", "o-1"), event("m-2", "o-2"), event("m-3", "o-1"), event("m-4", "o-1")});
    const auto all = unit_->read_stream("shop::order-o-1", 0, 10);
    EXPECT_THAT(ids(all), ElementsAre("m-1", "m-3", "m-4"));
    EXPECT_EQ(all[1].position, 1);
    EXPECT_EQ(all[1].seq, row("m-3").seq);
    EXPECT_THAT(ids(unit_->read_stream("shop::order-o-1", 1, 10)), ElementsAre("m-3", "m-4"));
    EXPECT_THAT(ids(unit_->read_stream("shop::order-o-1", 0, 2)), ElementsAre("m-1", "m-3"));
    EXPECT_THAT(unit_->read_stream("shop::order-o-1", 3, 10), IsEmpty());
    EXPECT_THAT(unit_->read_stream("shop::order-o", 0, 10), IsEmpty());
}

TEST_P(store_streams, are_read_as_they_were_written) {
    auto write = event("m-1");
    write.event.data = R"({ "note" : "Grüße", "n":1.50})";
    write.event.metadata = R"({"domain": {"correlation_id":"c-1"}})";
    write.event.created_at = at(7) + duration{std::chrono::microseconds{1}};
    commit({write});
    const auto read = unit_->read_stream("shop::order-o-1", 0, 1);
    ASSERT_EQ(read.size(), 1U);
    EXPECT_EQ(read[0].position, 0);
    EXPECT_EQ(read[0].event.stream, "shop::order-o-1");
    EXPECT_EQ(read[0].event.stream_category, "shop::order");
    EXPECT_EQ(read[0].event.type, "Shop.OrderShipped.v1");
    EXPECT_EQ(read[0].event.data, write.event.data);
    EXPECT_EQ(read[0].event.metadata, write.event.metadata);
    EXPECT_EQ(read[0].event.created_at, write.event.created_at);
}

TEST_P(store_streams, end_with_their_last_event) {
    EXPECT_FALSE(unit_->last_of_stream("shop::order-o-1"));
    commit({event("m-1", "o-1"), event("m-2", "o-1"), event("m-3", "o-2")});
    const auto last = unit_->last_of_stream("shop::order-o-1");
    ASSERT_TRUE(last);
    EXPECT_EQ(last->event.message_id, "m-2");
    EXPECT_EQ(last->position, 1);
}

TEST_P(store_streams, are_told_by_category_page_by_page) {
    commit({event_of("m-1", "shop::order", "b"), event_of("m-2", "shop::order", "a"),
            event_of("m-3", "shop::order", "a"), event_of("m-4", "shop::order-history", "z"),
            event_of("m-5", "shop::orders", "x"), event_of("m-6", "shop::order:command", "a"),
            event_of("m-7", "shop::order", "Ü")});
    EXPECT_THAT(operations_->streams("shop::order", "", 10),
                ElementsAre("shop::order-a", "shop::order-b", "shop::order-Ü"));
    EXPECT_THAT(operations_->streams("shop::order", "", 2), ElementsAre("shop::order-a", "shop::order-b"));
    EXPECT_THAT(operations_->streams("shop::order", "shop::order-b", 2), ElementsAre("shop::order-Ü"));
    EXPECT_THAT(operations_->streams("shop::order", "shop::order-Ü", 2), IsEmpty());
    EXPECT_THAT(operations_->streams("shop::order-history", "", 10), ElementsAre("shop::order-history-z"));
    EXPECT_THAT(operations_->streams("shop::customer", "", 10), IsEmpty());
}

class store_snapshots : public store_contract {
protected:
    void commit_snapshot(std::int64_t version, std::string state, std::string layout = "l-1") {
        unit_->commit({.snapshots = {{.aggregate = "Order",
                                      .id = "o-1",
                                      .version = version,
                                      .layout = std::move(layout),
                                      .state = std::move(state)}},
                       .at = at(0)});
    }
};
SLUICE_FOR_EVERY_STORE(store_snapshots);

TEST_P(store_snapshots, are_read_back) {
    EXPECT_FALSE(unit_->load_snapshot("Order", "o-1"));
    commit_snapshot(4, R"({"note": "Grüße"})");
    const auto snapshot = unit_->load_snapshot("Order", "o-1");
    ASSERT_TRUE(snapshot);
    EXPECT_EQ(snapshot->version, 4);
    EXPECT_EQ(snapshot->layout, "l-1");
    EXPECT_EQ(snapshot->state, R"({"note": "Grüße"})");
    EXPECT_FALSE(unit_->load_snapshot("Order", "o-2"));
    EXPECT_FALSE(unit_->load_snapshot("Customer", "o-1"));
}

TEST_P(store_snapshots, never_go_back_to_an_older_version) {
    commit_snapshot(4, R"({"n":4})");
    commit_snapshot(3, R"({"n":3})");
    EXPECT_EQ(unit_->load_snapshot("Order", "o-1")->state, R"({"n":4})");
    commit_snapshot(4, R"({"n":44})", "l-2");
    EXPECT_EQ(unit_->load_snapshot("Order", "o-1")->state, R"({"n":44})") << "another build, the same version";
    EXPECT_EQ(unit_->load_snapshot("Order", "o-1")->layout, "l-2");
    commit_snapshot(5, R"({"n":5})");
    EXPECT_EQ(unit_->load_snapshot("Order", "o-1")->version, 5);
}

TEST_P(store_snapshots, are_not_written_by_a_batch_that_is_refused) {
    commit({event("m-1")});
    auto late = event("m-2");
    late.expected_position = 0;
    EXPECT_THROW(
        unit_->commit(
            {.events = {late}, .snapshots = {{.aggregate = "Order", .id = "o-1", .state = "{}"}}, .at = at(0)}),
        expected_version_error);
    EXPECT_FALSE(unit_->load_snapshot("Order", "o-1"));
}

class store_outcomes : public store_contract {
protected:
    void commit_outcome(command_outcome what, date_time when = at(0)) {
        unit_->commit({.outcomes = {std::move(what)}, .at = when});
    }
};
SLUICE_FOR_EVERY_STORE(store_outcomes);

TEST_P(store_outcomes, are_read_back_until_they_expire) {
    EXPECT_FALSE(unit_->outcome_of("k-1", at(0)));
    auto refused = outcome("k-2");
    refused.succeeded = false;
    unit_->commit({.outcomes = {outcome("k-1", at(60)), refused}, .at = at(0)});
    const auto found = unit_->outcome_of("k-1", at(59));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->key, "k-1");
    EXPECT_EQ(found->command, "Shop.PlaceOrder.v1");
    EXPECT_EQ(found->fingerprint, "f-1");
    EXPECT_TRUE(found->succeeded);
    EXPECT_EQ(found->content, R"({"order":"Grüße"})");
    EXPECT_EQ(found->expires_at, at(60));
    EXPECT_FALSE(unit_->outcome_of("k-1", at(60)));
    EXPECT_FALSE(unit_->outcome_of("k-2", at(0))->succeeded);
}

TEST_P(store_outcomes, refuse_the_whole_batch_of_a_command_done_before) {
    commit_outcome(outcome("k-1"));
    auto other = outcome("k-1");
    other.content = "2";
    try {
        unit_->commit({.states = {insert("o-1")},
                       .events = {event("m-1")},
                       .marks = {{"in-1", "handler"}},
                       .snapshots = {{.aggregate = "Order", .id = "o-1", .state = "{}"}},
                       .outcomes = {outcome("k-0"), other},
                       .scheduled = {message_due("later", at(9))},
                       .at = at(0)});
        FAIL() << "accepted";
    } catch (const duplicate_outcome& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr("k-1"), HasSubstr("read its outcome")));
    }
    EXPECT_FALSE(unit_->load("Order", "o-1"));
    EXPECT_FALSE(operations_->event("m-1"));
    EXPECT_FALSE(unit_->is_marked("in-1", "handler"));
    EXPECT_FALSE(unit_->load_snapshot("Order", "o-1"));
    EXPECT_FALSE(unit_->outcome_of("k-0", at(0)));
    EXPECT_FALSE(unit_->next_due());
    EXPECT_EQ(unit_->outcome_of("k-1", at(0))->content, outcome("k-1").content);
}

TEST_P(store_outcomes, refuse_a_key_twice_in_one_batch) {
    EXPECT_THROW(unit_->commit({.outcomes = {outcome("k-1"), outcome("k-1")}, .at = at(0)}), duplicate_outcome);
    EXPECT_FALSE(unit_->outcome_of("k-1", at(0)));
}

TEST_P(store_outcomes, tell_of_the_repetition_before_the_conflict_that_it_makes) {
    unit_->commit({.states = {insert("o-1")}, .outcomes = {outcome("k-1")}, .at = at(0)});
    EXPECT_THROW(unit_->commit({.states = {insert("o-1")}, .outcomes = {outcome("k-1")}, .at = at(0)}),
                 duplicate_outcome);
}

TEST_P(store_outcomes, leave_the_key_to_another_once_they_expired) {
    commit_outcome(outcome("k-1", at(60)));
    EXPECT_THROW(commit_outcome(outcome("k-1"), at(59)), duplicate_outcome);
    auto next = outcome("k-1", at(120));
    next.command = "Shop.CancelOrder.v1";
    next.fingerprint = "f-2";
    next.succeeded = false;
    next.content = R"({"error":"no"})";
    commit_outcome(next, at(60));
    const auto found = unit_->outcome_of("k-1", at(60));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->command, "Shop.CancelOrder.v1");
    EXPECT_EQ(found->fingerprint, "f-2");
    EXPECT_FALSE(found->succeeded);
    EXPECT_EQ(found->content, R"({"error":"no"})");
    EXPECT_EQ(found->expires_at, at(120));
}

TEST_P(store_outcomes, are_purged_in_bounded_steps_once_they_expired) {
    for (const auto* key : {"a", "b", "c"}) commit_outcome(outcome(key, at(60)));
    commit_outcome(outcome("d", at(61)));
    EXPECT_EQ(operations_->purge_outcomes(at(60), 10), 0U);
    EXPECT_EQ(operations_->purge_outcomes(at(61), 2), 2U);
    EXPECT_EQ(operations_->purge_outcomes(at(61), 10), 1U);
    EXPECT_TRUE(unit_->outcome_of("d", at(0)));
    EXPECT_FALSE(unit_->outcome_of("a", at(0)));
}

class store_schedule : public store_contract {
protected:
    void schedule(std::vector<scheduled_message> messages) {
        unit_->commit({.scheduled = std::move(messages), .at = at(0)});
    }
    void cancel(std::vector<cancellation> messages) { unit_->commit({.cancelled = std::move(messages), .at = at(0)}); }

    [[nodiscard]] std::vector<std::string> due(date_time now, std::size_t limit = 10) {
        std::vector<std::string> all;
        for (const auto& message : unit_->due_messages(now, limit)) all.push_back(message.id);
        return all;
    }
};
SLUICE_FOR_EVERY_STORE(store_schedule);

TEST_P(store_schedule, hands_out_what_is_due_longest_first) {
    EXPECT_FALSE(unit_->next_due());
    schedule({message_due("a", at(20)), message_due("c", at(10)), message_due("b", at(10)), message_due("d", at(30))});
    EXPECT_EQ(unit_->next_due(), at(10));
    EXPECT_THAT(due(at(9)), IsEmpty());
    EXPECT_THAT(due(at(10)), ElementsAre("b", "c"));
    EXPECT_THAT(due(at(20)), ElementsAre("b", "c", "a"));
    EXPECT_THAT(due(at(40), 1), ElementsAre("b"));
    EXPECT_EQ(count_rows(), 0U) << "nothing is in the outbox before its time";
}

TEST_P(store_schedule, keeps_the_message_as_it_was) {
    auto message = message_due("a", at(20) + duration{std::chrono::microseconds{1}});
    message.message.event.data = R"({ "note":"Grüße" })";
    message.message.priority = -3;
    message.message.target_brokers = {"default", "part\"ner"};
    message.message.expected_position = 7;
    auto plain = message_due("b", at(30));
    plain.message.target_brokers = {};
    schedule({message, plain});
    const auto read = unit_->due_messages(at(30), 10);
    ASSERT_EQ(read.size(), 2U);
    EXPECT_EQ(read[0].due, message.due);
    const auto& [event, priority, brokers, position] = read[0].message;
    EXPECT_EQ(event.message_id, "s-a");
    EXPECT_EQ(event.stream, "shop::order-o-1");
    EXPECT_EQ(event.stream_category, "shop::order");
    EXPECT_EQ(event.type, "Shop.OrderShipped.v1");
    EXPECT_EQ(event.data, message.message.event.data);
    EXPECT_EQ(event.metadata, message.message.event.metadata);
    EXPECT_EQ(event.created_at, at(0));
    EXPECT_EQ(priority, -3);
    EXPECT_THAT(brokers, ElementsAre("default", "part\"ner"));
    EXPECT_EQ(position, 7);
    EXPECT_THAT(read[1].message.target_brokers, IsEmpty());
    EXPECT_FALSE(read[1].message.expected_position);
}

TEST_P(store_schedule, replaces_a_message_of_the_same_id) {
    schedule({message_due("a", at(20))});
    auto moved = message_due("a", at(5));
    moved.message.event.message_id = "s-new";
    moved.message.priority = 2;
    schedule({moved});
    const auto read = unit_->due_messages(at(30), 10);
    ASSERT_EQ(read.size(), 1U);
    EXPECT_EQ(read[0].due, at(5));
    EXPECT_EQ(read[0].message.event.message_id, "s-new");
    EXPECT_EQ(read[0].message.priority, 2);
}

TEST_P(store_schedule, takes_back_what_may_be_there) {
    schedule({message_due("a", at(20)), message_due("b", at(20))});
    cancel({{.id = "a"}, {.id = "nobody"}});
    EXPECT_THAT(due(at(20)), ElementsAre("b"));
}

TEST_P(store_schedule, moves_a_message_in_one_batch) {
    schedule({message_due("a", at(20)), message_due("b", at(20))});
    unit_->commit({.scheduled = {message_due("b", at(40)), message_due("a", at(30))},
                   .cancelled = {{.id = "c"}, {.id = "b", .due = at(20)}, {.id = "a", .due = at(20)}},
                   .at = at(0)});
    EXPECT_THAT(due(at(50)), ElementsAre("a", "b"));
    EXPECT_EQ(unit_->next_due(), at(30));
}

TEST_P(store_schedule, releases_a_message_once_only) {
    schedule({message_due("a", at(20))});
    const auto release = [&](date_time due, const std::string& message) {
        unit_->commit({.events = {event(message)}, .cancelled = {{.id = "a", .due = due}}, .at = at(0)});
    };
    try {
        release(at(21), "m-1");
        FAIL() << "it is due at another time";
    } catch (const expected_version_error& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr("scheduled message a"), HasSubstr(at(21).to_string())));
    }
    EXPECT_FALSE(operations_->event("m-1"));
    EXPECT_THAT(due(at(20)), ElementsAre("a"));
    release(at(20), "m-2");
    EXPECT_TRUE(operations_->event("m-2"));
    EXPECT_FALSE(unit_->next_due());
    EXPECT_THROW(release(at(20), "m-3"), expected_version_error);
    EXPECT_FALSE(operations_->event("m-3"));
}

class store_fence : public store_contract {};
SLUICE_FOR_EVERY_STORE(store_fence);

TEST_P(store_fence, lets_only_the_lease_of_this_epoch_write) {
    const auto mine = take_lane();
    unit_->commit({.events = {event("m-1")}, .fence = lease_fence{mine.lane, mine.epoch}, .at = at(0)});
    EXPECT_TRUE(operations_->event("m-1"));

    const auto other = store_->open_lane();
    const auto theirs = other.lease->acquire(mine.lane, "another", at(3600), ttl);
    ASSERT_TRUE(theirs);
    try {
        unit_->commit({.states = {insert("o-1")},
                       .events = {event("m-2")},
                       .outcomes = {outcome("k-1")},
                       .scheduled = {message_due("a", at(9))},
                       .fence = lease_fence{mine.lane, mine.epoch},
                       .at = at(0)});
        FAIL() << "under a lost lease";
    } catch (const lease_lost& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr(mine.lane), HasSubstr(std::to_string(mine.epoch))));
    }
    EXPECT_FALSE(unit_->load("Order", "o-1"));
    EXPECT_FALSE(operations_->event("m-2"));
    EXPECT_FALSE(unit_->outcome_of("k-1", at(0)));
    EXPECT_FALSE(unit_->next_due());
    unit_->commit({.events = {event("m-2")}, .fence = lease_fence{theirs->lane, theirs->epoch}, .at = at(0)});
}

TEST_P(store_fence, is_closed_where_nobody_ever_had_the_lease) {
    EXPECT_THROW(unit_->commit({.states = {insert("o-1")}, .fence = lease_fence{"default:nobody", 0}, .at = at(0)}),
                 lease_lost);
}

TEST_P(store_fence, alone_is_no_batch) {
    unit_->commit({.fence = lease_fence{"default:nobody", 0}, .at = at(0)});
    EXPECT_TRUE(commit_batch{.fence = lease_fence{}}.empty());
}

class store_log : public store_contract {
protected:
    /// Five events of three streams in two categories, a minute apart; every second correlates with `c-1`.
    void fill() {
        const std::vector<std::pair<std::string, std::string>> streams{{"shop::order", "a"},
                                                                       {"shop::customer", "a"},
                                                                       {"shop::order", "b"},
                                                                       {"shop::order", "a"},
                                                                       {"shop::order-history", "a"}};
        int n = 0;
        for (const auto& [category, id] : streams) {
            auto write = event_of("m-" + std::to_string(++n), category, id);
            write.event.created_at = at(60 * n);
            write.event.type = n == 3 ? "Shop.OrderPlaced.v1" : "Shop.OrderShipped.v1";
            if (n % 2 == 0) write.event.metadata = R"({"domain":{"correlation_id":"c-1"}})";
            commit({write});
        }
    }
    [[nodiscard]] std::vector<std::string> found(const event_filter& filter) {
        return ids(operations_->events(filter));
    }
};
SLUICE_FOR_EVERY_STORE(store_log);

TEST_P(store_log, is_walked_in_both_directions_page_by_page) {
    EXPECT_THAT(operations_->events({}), IsEmpty());
    fill();
    const auto all = operations_->events({});
    EXPECT_THAT(ids(all), ElementsAre("m-1", "m-2", "m-3", "m-4", "m-5"));
    EXPECT_EQ(all[3].position, 1);
    EXPECT_EQ(all[3].event.stream, "shop::order-a");
    EXPECT_EQ(all[3].event.created_at, at(240));
    EXPECT_THAT(found({.limit = 2}), ElementsAre("m-1", "m-2"));
    EXPECT_THAT(found({.after = all[1].seq, .limit = 2}), ElementsAre("m-3", "m-4"));
    EXPECT_THAT(found({.after = all[1].seq, .upto = all[2].seq}), ElementsAre("m-3"));
    EXPECT_THAT(found({.newest_first = true, .limit = 2}), ElementsAre("m-5", "m-4"));
    EXPECT_THAT(found({.upto = all[3].seq, .newest_first = true, .limit = 2}), ElementsAre("m-4", "m-3"));
    EXPECT_THAT(found({.limit = 0}), IsEmpty());
}

TEST_P(store_log, finds_the_events_of_a_stream_or_of_categories) {
    fill();
    const auto all = operations_->events({});
    EXPECT_THAT(found({.stream = "shop::order-a"}), ElementsAre("m-1", "m-4"));
    EXPECT_THAT(found({.stream = "shop::order-a", .newest_first = true, .limit = 1}), ElementsAre("m-4"));
    EXPECT_THAT(found({.stream = "shop::order-a", .after = all[0].seq}), ElementsAre("m-4"));
    EXPECT_THAT(found({.stream = "shop::order-a", .upto = all[0].seq}), ElementsAre("m-1"));
    EXPECT_THAT(found({.stream = "shop::order"}), ElementsAre("m-1", "m-3", "m-4"));
    EXPECT_THAT(found({.stream_categories = {"shop::customer", "shop::order-history"}}), ElementsAre("m-2", "m-5"));
    EXPECT_THAT(found({.stream = "shop::order-a", .stream_categories = {"shop::customer"}}), IsEmpty());
    EXPECT_THAT(found({.stream = "shop::nothing"}), IsEmpty());
}

TEST_P(store_log, finds_events_by_type_time_and_correlation) {
    fill();
    EXPECT_THAT(found({.type = "Shop.OrderPlaced.v1"}), ElementsAre("m-3"));
    EXPECT_THAT(found({.created_from = at(120), .created_before = at(240)}), ElementsAre("m-2", "m-3"));
    EXPECT_THAT(found({.correlation_id = "c-1"}), ElementsAre("m-2", "m-4"));
    EXPECT_THAT(found({.correlation_id = "c-2"}), IsEmpty());
    EXPECT_THAT(found({.stream = "shop::order", .correlation_id = "c-1", .newest_first = true}), ElementsAre("m-4"));
    EXPECT_THAT(found({.stream = "shop::order-a",
                       .stream_categories = {"shop::order"},
                       .type = "Shop.OrderShipped.v1",
                       .correlation_id = "c-1",
                       .created_from = at(240),
                       .created_before = at(241)}),
                ElementsAre("m-4"));
}

}  // namespace
}  // namespace sluice::store::contract
