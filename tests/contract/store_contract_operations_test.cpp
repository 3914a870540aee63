#include <sluice/json.hpp>

#include "contract/store_contract.hpp"

namespace sluice::store::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class store_operations : public store_contract {
protected:
    [[nodiscard]] std::vector<std::string> listed(const outbox_filter& filter) {
        std::vector<std::string> ids;
        for (const auto& row : operations_->list(filter)) ids.push_back(row.message_id + '>' + row.target_broker);
        return ids;
    }
    [[nodiscard]] static outbox_filter of_broker(std::string broker) { return {.target_broker = std::move(broker)}; }
};
SLUICE_FOR_EVERY_STORE(store_operations);

TEST_P(store_operations, list_newest_first_by_every_filter) {
    auto late = event("m-3", "o-2");
    late.event.created_at = at(10) + duration{5};
    auto elsewhere = event("m-4", "c-1", {"default"});
    elsewhere.event.stream = "shop::customer-c-1";
    elsewhere.event.stream_category = "shop::customer";
    elsewhere.event.created_at = at(10);
    commit({event("m-1", "o-1"), event("m-2", "o-2", {"default"}), late, elsewhere});
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1)}, 1), settle_outcome::settled);

    EXPECT_THAT(listed(of_broker("")),
                ElementsAre("m-4>default", "m-3>default", "m-3>partner", "m-2>default", "m-1>default", "m-1>partner"));
    EXPECT_THAT(listed(of_broker("partner")), ElementsAre("m-3>partner", "m-1>partner"));
    auto filter = of_broker("");
    filter.limit = 2;
    EXPECT_THAT(listed(filter), ElementsAre("m-4>default", "m-3>default"));
    filter = of_broker("");
    filter.status = row_status::published;
    EXPECT_THAT(listed(filter), ElementsAre("m-1>partner"));
    filter = of_broker("default");
    filter.stream = "shop::order-o-2";
    EXPECT_THAT(listed(filter), ElementsAre("m-3>default", "m-2>default"));
    filter.stream = "shop::customer";
    EXPECT_THAT(listed(filter), ElementsAre("m-4>default"));
    filter = of_broker("");
    filter.message_id = "m-3";
    EXPECT_THAT(listed(filter), ElementsAre("m-3>default", "m-3>partner"));
    filter.target_broker = "partner";
    EXPECT_THAT(listed(filter), ElementsAre("m-3>partner"));
    filter = of_broker("default");
    filter.created_before = at(10) + duration{1};
    EXPECT_THAT(listed(filter), ElementsAre("m-4>default", "m-2>default", "m-1>default"));
    filter.created_before = at(10);
    EXPECT_THAT(listed(filter), ElementsAre("m-2>default", "m-1>default"));
}

TEST_P(store_operations, choose_rows_by_the_type_of_their_event_and_by_their_error) {
    auto paid = event("m-2");
    paid.event.type = "Shop.OrderPaid.v1";
    auto changed = event("m-3");
    changed.event.type = "Shop.OrderShipped.v2";
    commit({event("m-1"), paid, changed, event("m-4")});
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{abandoned(1, 3), failed(2, 1), abandoned(3, 3)}, 0),
              settle_outcome::settled);

    auto filter = of_broker("partner");
    filter.type = "Shop.OrderShipped.v1";
    EXPECT_THAT(listed(filter), ElementsAre("m-4>partner", "m-1>partner"));
    filter.type = "OrderShipped";
    EXPECT_THAT(listed(filter), ElementsAre("m-4>partner", "m-3>partner", "m-1>partner")) << "of any version";
    filter.type = "Shipped";
    EXPECT_THAT(listed(filter), IsEmpty());

    filter = of_broker("");
    filter.error = "NEVER";
    EXPECT_THAT(listed(filter), ElementsAre("m-3>partner", "m-1>partner"));
    filter.error = R"("no")";
    EXPECT_THAT(listed(filter), ElementsAre("m-2>partner"));
    filter.error = "%";
    EXPECT_THAT(listed(filter), IsEmpty()) << "it is text, not a pattern";
    filter.error = "never";
    filter.type = "Shop.OrderShipped.v2";
    EXPECT_EQ(operations_->retry(filter), 1U);
    EXPECT_EQ(row("m-3").status, row_status::pending);
    EXPECT_EQ(row("m-1").status, row_status::abandoned);
    filter.type = "OrderPaid";
    filter.error.clear();
    EXPECT_EQ(operations_->discard(filter, "no", at(9)), 2U) << "for both brokers";
    EXPECT_EQ(row("m-2").status, row_status::abandoned);
}

TEST_P(store_operations, change_rows_of_a_range_of_numbers) {
    commit_events(4);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{abandoned(1, 3), abandoned(2, 3), abandoned(3, 3)}, 3),
              settle_outcome::settled);
    auto filter = of_broker("partner");
    filter.after = 1;
    filter.upto = 2;
    EXPECT_EQ(operations_->retry(filter), 1U);
    EXPECT_EQ(row("m-2").status, row_status::pending);
    filter = of_broker("default");
    filter.after = 3;
    EXPECT_EQ(operations_->discard(filter, "no", at(9)), 1U);
    filter.after = 0;
    filter.upto = 2;
    EXPECT_EQ(operations_->discard(filter, "no", at(9)), 2U);
}

TEST_P(store_operations, list_a_range_of_numbers_oldest_first) {
    commit({event("m-1", "o-1"), event("m-2", "o-2"), event("m-3", "o-3"), event("m-4", "o-4", {"default"})});
    const auto rows = operations_->list({});
    ASSERT_EQ(rows.size(), 7U);
    const sequence first = rows.back().seq;
    outbox_filter filter;
    filter.oldest_first = true;
    filter.after = first;
    EXPECT_THAT(listed(filter), ElementsAre("m-2>default", "m-2>partner", "m-3>default", "m-3>partner", "m-4>default"));
    filter.upto = rows.front().seq - 1;
    EXPECT_THAT(listed(filter), ElementsAre("m-2>default", "m-2>partner", "m-3>default", "m-3>partner"));
    filter.limit = 1;
    EXPECT_THAT(listed(filter), ElementsAre("m-2>default"));
    filter.limit = 100;
    filter.target_broker = "partner";
    EXPECT_THAT(listed(filter), ElementsAre("m-2>partner", "m-3>partner"));
    filter.oldest_first = false;
    EXPECT_THAT(listed(filter), ElementsAre("m-3>partner", "m-2>partner"));
}

TEST_P(store_operations, give_the_marks_of_a_handler_to_another_name) {
    commit({}, {}, {{"m-1", "old"}, {"m-2", "old"}, {"m-2", "new"}, {"m-1", "other"}});
    EXPECT_EQ(operations_->rename_handler("old", "new"), 2U);
    EXPECT_TRUE(unit_->is_marked("m-1", "new"));
    EXPECT_TRUE(unit_->is_marked("m-2", "new"));
    EXPECT_TRUE(unit_->is_marked("m-1", "other"));
    EXPECT_FALSE(unit_->is_marked("m-1", "old"));
    EXPECT_EQ(operations_->rename_handler("old", "new"), 0U) << "repeating it does no harm";
    EXPECT_EQ(operations_->forget_handler("new"), 2U);
    EXPECT_FALSE(unit_->is_marked("m-1", "new"));
    EXPECT_TRUE(unit_->is_marked("m-1", "other"));
}

TEST_P(store_operations, remove_the_lease_of_a_handler_with_its_name) {
    const auto grant = lane_.lease->acquire("sequential/old", "me", at(0), ttl);
    ASSERT_TRUE(grant);
    static_cast<void>(operations_->rename_handler("old", "new"));
    for (const auto& each : operations_->lanes()) EXPECT_NE(each.lane, "sequential/old");
}

TEST_P(store_operations, show_an_event) {
    commit({event("m-1")});
    const auto logged = operations_->event("m-1");
    ASSERT_TRUE(logged);
    EXPECT_EQ(logged->stream_category, "shop::order");
    EXPECT_EQ(logged->data, R"({"order_id":"o-1"})");
    EXPECT_FALSE(operations_->event("m-2"));
}

TEST_P(store_operations, count_the_rows_of_each_broker) {
    EXPECT_THAT(operations_->outbox_summary(), IsEmpty());
    for (int i = 1; i <= 4; ++i) {
        auto write = event("m-" + std::to_string(i));
        write.event.created_at = at(i);
        commit({write});
    }
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1), failed(3, 1)}, 1),
              settle_outcome::settled);
    const auto summary = operations_->outbox_summary();
    ASSERT_EQ(summary.size(), 2U);
    const auto& partner = summary.at("partner");
    EXPECT_THAT(partner.by_status, ElementsAre(std::pair{row_status::pending, 2}, std::pair{row_status::published, 1},
                                               std::pair{row_status::failed, 1}));
    EXPECT_EQ(partner.oldest_open, at(2));
    EXPECT_EQ(summary.at("default").oldest_open, at(1));

    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(2), published(3), abandoned(4, 1)}, 4),
              settle_outcome::settled);
    EXPECT_FALSE(operations_->outbox_summary().at("partner").oldest_open);
}

TEST_P(store_operations, audit_every_course_that_an_event_can_take) {
    for (int i = 1; i <= 8; ++i) commit({event("m-" + std::to_string(i), "o-1", {"default", "partner"})});
    const auto sum_of = [&](const char* broker) {
        audit_sum sum;
        sum.add(operations_->audit(broker, 0, 3));
        sum.add(operations_->audit(broker, 3, 1'000));
        return sum;
    };
    EXPECT_THAT(operations_->brokers(), ElementsAre("default", "partner"));
    EXPECT_EQ(sum_of("partner").waiting, 8);
    EXPECT_EQ(sum_of("nobody").committed, 0);
    const auto grant = take_lane();
    ASSERT_EQ(
        lane_.rows->settle(grant, "partner",
                           std::vector{published(1), abandoned(2, 3), published(3), published(4), failed(6, 1)}, 4),
        settle_outcome::settled);
    EXPECT_EQ(operations_->discard({.target_broker = "partner", .message_id = "m-7"}, "no", at(9)), 1U);

    const auto page = operations_->audit("partner", 2, 7);
    EXPECT_EQ(page.end, 8);
    EXPECT_EQ(page.mark, 4);
    EXPECT_THAT(page.chosen, ElementsAre(3, 4, 5, 6, 7));
    const auto sum = sum_of("partner");
    EXPECT_EQ(sum.committed, 8);
    EXPECT_EQ(sum.confirmed, 3);
    EXPECT_EQ(sum.parked, 2);
    EXPECT_EQ(sum.waiting, 3);
    EXPECT_TRUE(sum.closes());
    EXPECT_EQ(sum_of("default").waiting, 8) << "another broker has its own sum";
}

TEST_P(store_operations, tell_what_a_broker_has_confirmed_with_its_receipts) {
    for (int i = 1; i <= 6; ++i) commit({event("m-" + std::to_string(i), "o-1", {"default", "partner"})});
    const auto grant = take_lane();
    std::vector settled{published(1), abandoned(2, 3), published(3), failed(4, 1), published(5)};
    settled[0].receipt = "10-0";
    settled[2].receipt = "11-0";
    ASSERT_EQ(lane_.rows->settle(grant, "partner", settled, 3), settle_outcome::settled);
    // One that came at a later attempt, and so has a row.
    auto late = published(4);
    late.retry_count = 1;
    late.receipt = "12-0";
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{late}, 5), settle_outcome::settled);

    const auto all = operations_->confirmations("partner", 0, 100);
    ASSERT_THAT(all, ::testing::SizeIs(4));
    EXPECT_EQ(all[0].seq, 1);
    EXPECT_EQ(all[0].receipt, "10-0");
    EXPECT_EQ(all[0].confirmed_at, published(1).published_at);
    EXPECT_EQ(all[0].stream_category, event("m-1").event.stream_category);
    EXPECT_EQ(all[0].type, event("m-1").event.type);
    EXPECT_EQ(all[1].receipt, "11-0");
    EXPECT_EQ(all[2].seq, 4);
    EXPECT_EQ(all[2].receipt, "12-0");
    EXPECT_EQ(all[3].receipt, "r");
    const auto part = operations_->confirmations("partner", 1, 4);
    ASSERT_THAT(part, ::testing::SizeIs(2));
    EXPECT_EQ(part[0].seq, 3);
    EXPECT_EQ(part[1].seq, 4);
    EXPECT_THAT(operations_->confirmations("default", 0, 100), IsEmpty());
    EXPECT_THAT(operations_->confirmations("nobody", 0, 100), IsEmpty());
}

TEST_P(store_operations, locate_messages_in_the_log) {
    for (int i = 1; i <= 3; ++i) commit({event("m-" + std::to_string(i), "o-" + std::to_string(i))});
    auto found = operations_->locate({"m-3", "of somebody else", "m-1", ""});
    std::ranges::sort(found, {}, &located_event::seq);
    ASSERT_THAT(found, ::testing::SizeIs(2));
    EXPECT_EQ(found[0].message_id, "m-1");
    EXPECT_EQ(found[0].seq, 1);
    EXPECT_EQ(found[0].stream, event("m-1", "o-1").event.stream);
    EXPECT_EQ(found[1].seq, 3);
    EXPECT_THAT(operations_->locate({}), IsEmpty());
}

TEST_P(store_operations, keep_what_came_of_the_last_audit) {
    EXPECT_TRUE(operations_->noted_audits().empty());
    const auto first = audit_note{}.followed_by(at(1), true);
    const auto second = first.followed_by(at(2), false);
    operations_->note_audit("partner", first);
    operations_->note_audit("default", first);
    operations_->note_audit("partner", second);
    EXPECT_EQ(operations_->noted_audits(), (audit_notes{{"default", first}, {"partner", second}}));
    operations_->pause_lanes("partner", {.since = at(3), .reason = ""});
    EXPECT_EQ(operations_->noted_audits().size(), 2U) << "a pause is another fact";
    EXPECT_EQ(operations_->paused_lanes().size(), 1U);
}

TEST_P(store_operations, audit_misses_what_the_lane_has_passed_and_makes_it_look_again) {
    for (int i = 1; i <= 4; ++i) commit({event("m-" + std::to_string(i))});
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1), published(3)}, 3),
              settle_outcome::settled);
    audit_sum sum;
    sum.add(operations_->audit("partner", 0, 100));
    EXPECT_EQ(sum.missing, 1);
    EXPECT_EQ(sum.first_missing, 2);

    operations_->look_again("partner", 2);
    audit_sum after;
    after.add(operations_->audit("partner", 0, 100));
    EXPECT_TRUE(after.closes());
    EXPECT_EQ(after.waiting, 2);
    EXPECT_EQ(seqs(lane_.rows->due(grant, "partner", 1, 10)), (std::vector<sequence>{2, 4})) << "and 3 is left out";
}

TEST_P(store_operations, count_every_row_wherever_the_mark_is_and_without_any_lane) {
    const std::vector<std::string> brokers{"default", "partner", "retired"};
    for (int i = 1; i <= 8; ++i) commit({event("m-" + std::to_string(i), "o-1", brokers)});
    const auto grant = take_lane();
    ASSERT_EQ(
        lane_.rows->settle(grant, "partner", std::vector{published(1), published(2), abandoned(3, 3), published(4)}, 4),
        settle_outcome::settled);
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(6), failed(7, 1), abandoned(8, 3)}, 4),
              settle_outcome::settled);
    EXPECT_EQ(operations_->discard({.target_broker = "retired", .message_id = "m-2"}, "no", at(9)), 1U);

    auto summary = operations_->outbox_summary();
    EXPECT_THAT(summary.at("partner").by_status,
                ElementsAre(std::pair{row_status::pending, 1}, std::pair{row_status::published, 4},
                            std::pair{row_status::failed, 1}, std::pair{row_status::abandoned, 2}));
    EXPECT_THAT(summary.at("default").by_status, ElementsAre(std::pair{row_status::pending, 8}));
    EXPECT_THAT(summary.at("retired").by_status,
                ElementsAre(std::pair{row_status::pending, 7}, std::pair{row_status::abandoned, 1}))
        << "a broker without a lane";
    EXPECT_EQ(summary.size(), 3U);

    ASSERT_EQ(operations_->retry({.target_broker = "partner", .message_id = "m-3"}), 1U);
    summary = operations_->outbox_summary();
    EXPECT_THAT(summary.at("partner").by_status,
                ElementsAre(std::pair{row_status::pending, 2}, std::pair{row_status::published, 4},
                            std::pair{row_status::failed, 1}, std::pair{row_status::abandoned, 1}));
    for (const auto& [broker, counts] : summary) EXPECT_FALSE(counts.published_is_estimated) << broker;
}

TEST_P(store_operations, count_a_broker_whose_rows_are_all_settled) {
    commit_events(2);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1), published(2)}, 2),
              settle_outcome::settled);
    const auto counts = operations_->outbox_summary().at("partner");
    EXPECT_THAT(counts.by_status, ElementsAre(std::pair{row_status::published, 2}));
    EXPECT_FALSE(counts.oldest_open);
}

TEST_P(store_operations, retry_gives_a_full_new_budget_and_makes_the_lane_look_again) {
    commit_events(4);
    auto grant = take_lane();
    ASSERT_EQ(
        lane_.rows->settle(grant, "partner", std::vector{published(1), abandoned(2, 3), published(3), failed(4, 2)}, 3),
        settle_outcome::settled);
    EXPECT_EQ(operations_->retry(of_broker("default")), 0U);
    EXPECT_EQ(operations_->retry(of_broker("partner")), 2U);
    EXPECT_EQ(operations_->retry(of_broker("partner")), 0U) << "pending rows need no retry";

    const auto second = row("m-2");
    EXPECT_EQ(second.status, row_status::pending);
    EXPECT_EQ(second.retry_count, 0);
    EXPECT_FALSE(second.next_retry_at);
    EXPECT_EQ(second.last_error, R"({"message":"never"})") << "the history stays until it is published";
    EXPECT_EQ(row("m-1").status, row_status::published);

    const auto due = lane_.rows->due(grant, "partner", 3, 10);
    EXPECT_EQ(due.rescan, grant.rescan + 1);
    EXPECT_EQ(due.mark, 1);
    EXPECT_THAT(seqs(lane_.rows->due(grant, "partner", due.mark, 10)), ElementsAre(2, 4));
    EXPECT_EQ(lane_.lease->acquire("default:partner", "me", at(1), ttl)->mark, 1);
}

TEST_P(store_operations, retry_takes_the_oldest_first_up_to_its_limit) {
    commit_events(3);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{abandoned(1, 1), abandoned(2, 1), abandoned(3, 1)}, 3),
              settle_outcome::settled);
    auto filter = of_broker("partner");
    filter.limit = 2;
    EXPECT_EQ(operations_->retry(filter), 2U);
    EXPECT_EQ(row("m-3").status, row_status::abandoned);
}

TEST_P(store_operations, retry_needs_no_lane) {
    commit_events(1);
    {
        const auto grant = take_lane("default");
        ASSERT_EQ(lane_.rows->settle(grant, "default", std::vector{abandoned(1, 1)}, 1), settle_outcome::settled);
    }
    EXPECT_EQ(operations_->retry(of_broker("")), 1U);
    EXPECT_EQ(operations_->discard(of_broker("partner"), "retired", at(1)), 1U);
}

TEST_P(store_operations, retry_is_not_undone_by_a_lane_that_has_not_seen_it) {
    commit_events(3);
    auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{failed(1, 2), abandoned(2, 3)}, 0),
              settle_outcome::settled);
    ASSERT_EQ(operations_->retry(of_broker("partner")), 2U);

    // In flight while the operator acted: the third refusal of m-1, and m-3.
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{abandoned(1, 3), published(3)}, 3),
              settle_outcome::settled);
    EXPECT_EQ(row("m-1").status, row_status::pending);
    EXPECT_EQ(row("m-1").retry_count, 0);
    EXPECT_EQ(row("m-3").status, row_status::published);
    EXPECT_EQ(lane_.rows->due(grant, "partner", 0, 10).mark, 0) << "the mark passed reopened rows";

    grant.rescan = lane_.rows->due(grant, "partner", 0, 10).rescan;
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1), published(2)}, 3),
              settle_outcome::settled);
    EXPECT_EQ(lane_.rows->due(grant, "partner", 0, 10).mark, 3);
}

TEST_P(store_operations, discard_keeps_rows_from_being_sent_and_says_why) {
    commit_events(3);
    const auto grant = take_lane();
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1), failed(2, 1)}, 1),
              settle_outcome::settled);
    EXPECT_EQ(operations_->discard(of_broker("partner"), "broker retired", at(9)), 2U);

    const auto second = row("m-2");
    EXPECT_EQ(second.status, row_status::abandoned);
    EXPECT_FALSE(second.next_retry_at);
    const auto error = json::parse(second.last_error);
    EXPECT_EQ(error.string_or("reason", ""), "discarded");
    EXPECT_EQ(error.string_or("message", ""), "broker retired");
    EXPECT_EQ(error.string_or("at", ""), at(9).to_string());
    EXPECT_EQ(row("m-1").status, row_status::published);
    EXPECT_EQ(row("m-3", "default").status, row_status::pending);

    const auto due = lane_.rows->due(grant, "partner", 0, 10);
    EXPECT_THAT(due.rows, IsEmpty());
    EXPECT_GT(due.rescan, grant.rescan);
}

TEST_P(store_operations, discard_yields_to_what_was_published_meanwhile_but_not_to_a_refusal) {
    commit_events(2);
    const auto grant = take_lane();
    ASSERT_EQ(operations_->discard(of_broker("partner"), "no", at(9)), 2U);
    ASSERT_EQ(lane_.rows->settle(grant, "partner", std::vector{published(1), failed(2, 1)}, 2),
              settle_outcome::settled);
    EXPECT_EQ(row("m-1").status, row_status::published);
    EXPECT_EQ(row("m-2").status, row_status::abandoned);
}

TEST_P(store_operations, discarded_rows_are_purged_and_can_be_retried) {
    commit_events(2);
    const auto grant = take_lane();
    ASSERT_EQ(operations_->discard(of_broker("partner"), "no", at(9)), 2U);
    EXPECT_EQ(operations_->retry({.target_broker = "partner", .message_id = "m-2"}), 1U);
    EXPECT_EQ(row("m-2").status, row_status::pending);

    auto current = grant;
    current.rescan = lane_.rows->due(grant, "partner", 0, 1).rescan;
    ASSERT_EQ(lane_.rows->settle(current, "partner", {}, 1), settle_outcome::settled);
    EXPECT_EQ(lane_.rows->purge(current, "partner", at(0), at(10), 10), 1U);
}

TEST_P(store_operations, purge_old_inbox_marks_in_bounded_steps) {
    for (int i = 0; i < 4; ++i) {
        unit_->commit({.marks = {{"in-" + std::to_string(i), "h"}}, .at = at(i)});
    }
    EXPECT_EQ(operations_->purge_inbox(at(3), 2), 2U);
    EXPECT_EQ(operations_->purge_inbox(at(3), 2), 1U);
    EXPECT_EQ(operations_->purge_inbox(at(3), 2), 0U);
    EXPECT_TRUE(unit_->is_marked("in-3", "h"));
    EXPECT_FALSE(unit_->is_marked("in-1", "h"));
}

class store_database : public store_contract {};
SLUICE_FOR_EVERY_STORE(store_database);

TEST_P(store_database, has_an_identity_that_stays_and_is_its_own) {
    const auto identity = store_->identity();
    EXPECT_GE(identity.size(), 32U);
    EXPECT_EQ(store_->identity(), identity);
    const temporary_directory elsewhere;
    const auto other = make_store(GetParam(), elsewhere.path());
    other->setup();
    EXPECT_NE(other->identity(), identity);
}

TEST_P(store_database, may_be_set_up_again) {
    commit_events(1);
    const auto identity = store_->identity();
    store_->setup();
    EXPECT_EQ(store_->identity(), identity);
    EXPECT_EQ(count_rows(), 2U);
    const auto schema = store_->schema();
    EXPECT_EQ(schema.applied, schema.expected);
    EXPECT_THAT(schema.pending, IsEmpty());
}

}  // namespace
}  // namespace sluice::store::contract
