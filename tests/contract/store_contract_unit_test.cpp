#include <fmt/format.h>

#include <atomic>
#include <list>
#include <thread>

#include "contract/store_contract.hpp"

namespace sluice::store::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class store_unit : public store_contract {
protected:
    [[nodiscard]] std::vector<std::string> found(const state_query& query) {
        std::vector<std::string> ids;
        for (const auto& state : unit_->find("Order", query)) ids.push_back(state.id);
        return ids;
    }
};
SLUICE_FOR_EVERY_STORE(store_unit);

TEST_P(store_unit, loads_what_was_committed) {
    EXPECT_FALSE(unit_->load("Order", "o-1"));
    commit({insert("o-1", R"({"note":"Grüße"})")});
    const auto state = unit_->load("Order", "o-1");
    ASSERT_TRUE(state);
    EXPECT_EQ(state->id, "o-1");
    EXPECT_EQ(state->version, 0);
    EXPECT_EQ(state->state, R"({"note":"Grüße"})");
    EXPECT_FALSE(unit_->load("Customer", "o-1"));
}

TEST_P(store_unit, is_seen_by_another_session_at_once) {
    commit({insert("o-1")});
    EXPECT_TRUE(store_->open_unit()->load("Order", "o-1"));
}

TEST_P(store_unit, updates_and_removes_only_the_version_before) {
    commit({insert("o-1")});
    commit({update("o-1", 1, R"({"n":1})")});
    EXPECT_EQ(unit_->load("Order", "o-1")->version, 1);
    EXPECT_THROW(commit({update("o-1", 1)}), expected_version_error);
    EXPECT_THROW(commit({update("o-1", 3)}), expected_version_error);
    EXPECT_THROW(commit({remove("o-1", 1)}), expected_version_error);
    EXPECT_EQ(unit_->load("Order", "o-1")->state, R"({"n":1})");
    commit({remove("o-1", 2)});
    EXPECT_FALSE(unit_->load("Order", "o-1"));
    EXPECT_THROW(commit({update("o-1", 2)}), expected_version_error);
    commit({insert("o-1")});
}

TEST_P(store_unit, who_lock_a_key_take_turns_and_lose_no_race) {
    commit({insert("o-1")});
    constexpr int writers = 4;
    constexpr int each = 10;
    std::atomic<int> lost = 0;
    {
        std::vector<std::jthread> all;
        for (int i = 0; i < writers; ++i) {
            all.emplace_back([&] {
                const auto unit = store_->open_unit();
                for (int n = 0; n < each; ++n) {
                    unit->lock("state Order o-1");
                    try {
                        const auto version = unit->load("Order", "o-1")->version;
                        unit->commit({.states = {update("o-1", version + 1)}, .at = at(0)});
                    } catch (const expected_version_error&) {
                        ++lost;
                    }
                    unit->unlock();
                }
            });
        }
    }
    EXPECT_EQ(lost, 0);
    EXPECT_EQ(unit_->load("Order", "o-1")->version, writers * each);
}

TEST_P(store_unit, gives_its_locks_back_when_it_ends) {
    {
        const auto unit = store_->open_unit();
        unit->lock("state Order o-1");
        unit->lock("state Order o-2");
    }
    unit_->lock("state Order o-2");
    unit_->lock("state Order o-1");
    unit_->unlock();
}

TEST_P(store_unit, names_what_was_lost_the_same_for_both_writers) {
    const auto contended = [](const auto& act) {
        try {
            act();
        } catch (const expected_version_error& e) {
            return e.contended();
        }
        return std::string{"no conflict"};
    };
    commit({insert("o-1")});
    commit({update("o-1", 1)});
    EXPECT_EQ(contended([&] { commit({insert("o-1")}); }), "state Order o-1");
    EXPECT_EQ(contended([&] { commit({update("o-1", 1)}); }), "state Order o-1");
    auto next = event("m-1");
    next.expected_position = 7;
    EXPECT_EQ(contended([&] { commit({next}); }), "stream " + next.event.stream);
}

TEST_P(store_unit, refuses_a_second_insert_and_names_the_aggregate) {
    commit({insert("o-1")});
    try {
        commit({insert("o-1")});
        FAIL() << "accepted";
    } catch (const expected_version_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("Order o-1"));
        EXPECT_TRUE(e.retryable());
    }
}

TEST_P(store_unit, writes_nothing_of_a_batch_with_a_version_conflict) {
    commit({insert("o-1")});
    EXPECT_THROW(commit({insert("o-2"), update("o-1", 5)}, {event("m-1")}, {{"in-1", "handler"}}),
                 expected_version_error);
    EXPECT_FALSE(unit_->load("Order", "o-2"));
    EXPECT_FALSE(operations_->event("m-1"));
    EXPECT_EQ(count_rows(), 0U);
    EXPECT_FALSE(unit_->is_marked("in-1", "handler"));
    commit({insert("o-2")}, {event("m-1")}, {{"in-1", "handler"}});
}

TEST_P(store_unit, marks_messages_of_one_id_by_their_content) {
    const inbox_mark first{"in-1", "handler", "content-1"};
    const inbox_mark second{"in-1", "handler", "content-2"};
    EXPECT_EQ(unit_->look_in_inbox(first), inbox_answer::unknown);
    commit({}, {}, {first});
    EXPECT_EQ(unit_->look_in_inbox(first), inbox_answer::handled);
    EXPECT_EQ(unit_->look_in_inbox(second), inbox_answer::other_content);
    EXPECT_EQ(unit_->look_in_inbox({"in-1", "another", "content-1"}), inbox_answer::unknown);

    commit({insert("o-1")}, {}, {second});
    EXPECT_TRUE(unit_->load("Order", "o-1")) << "another message";
    EXPECT_EQ(unit_->look_in_inbox(first), inbox_answer::handled) << "both are known from then on";
    EXPECT_EQ(unit_->look_in_inbox(second), inbox_answer::handled);
    EXPECT_THROW(commit({}, {}, {first}), duplicate_message);
    EXPECT_THROW(commit({}, {}, {second}), duplicate_message);
}

TEST_P(store_unit, names_the_marked_of_many_messages) {
    const std::vector<std::string> ids{"in-1", "in-2", "in-3", "in-4", "in-5"};
    EXPECT_THAT(unit_->marked_of(ids, "handler"), IsEmpty());
    commit(
        {}, {},
        {{"in-2", "handler", "content-1"}, {"in-2", "handler", "content-2"}, {"in-4", "handler"}, {"in-1", "another"}});
    EXPECT_THAT(unit_->marked_of(ids, "handler"), UnorderedElementsAre("in-2", "in-4")) << "each once";
    EXPECT_THAT(unit_->marked_of(ids, "another"), ElementsAre("in-1"));
    EXPECT_THAT(unit_->marked_of({}, "handler"), IsEmpty());
}

TEST_P(store_unit, takes_a_mark_without_content_for_any) {
    commit({}, {}, {{"old", "handler"}, {"new", "handler", "content"}});
    EXPECT_EQ(unit_->look_in_inbox({"old", "handler", "content"}), inbox_answer::handled) << "marked by an older build";
    EXPECT_EQ(unit_->look_in_inbox({"new", "handler"}), inbox_answer::handled);
}

TEST_P(store_unit, writes_nothing_of_a_batch_with_a_duplicate_mark) {
    commit({}, {}, {{"in-1", "handler"}});
    EXPECT_TRUE(unit_->is_marked("in-1", "handler"));
    EXPECT_FALSE(unit_->is_marked("in-1", "another"));
    EXPECT_THROW(commit({insert("o-1")}, {event("m-1")}, {{"in-1", "handler"}}), duplicate_message);
    EXPECT_FALSE(unit_->load("Order", "o-1"));
    EXPECT_FALSE(operations_->event("m-1"));
    EXPECT_EQ(count_rows(), 0U);
    commit({}, {}, {{"in-1", "another"}});
}

TEST_P(store_unit, writes_nothing_of_a_batch_with_a_known_message_id) {
    commit({event("m-1")});
    EXPECT_THROW(commit({insert("o-1")}, {event("m-2"), event("m-1")}), duplicate_message);
    EXPECT_THROW(commit({insert("o-1")}, {event("m-2"), event("m-2")}), duplicate_message);
    EXPECT_FALSE(unit_->load("Order", "o-1"));
    EXPECT_FALSE(operations_->event("m-2"));
    EXPECT_EQ(count_rows(), 2U);
}

TEST_P(store_unit, accepts_an_empty_batch) {
    unit_->commit({});
    EXPECT_EQ(count_rows(), 0U);
}

TEST_P(store_unit, gives_events_their_order_and_their_position_in_the_stream) {
    auto third = event("m-3", "o-1");
    third.expected_position = 1;
    commit({event("m-1", "o-1"), event("m-2", "o-2"), third});
    EXPECT_EQ(row("m-1").seq, 1);
    EXPECT_EQ(row("m-2").seq, 2);
    EXPECT_EQ(row("m-3").seq, 3);

    for (const int wrong : {0, 1, 3}) {
        auto fourth = event("m-4", "o-1");
        fourth.expected_position = wrong;
        try {
            commit({fourth});
            ADD_FAILURE() << wrong;
        } catch (const expected_version_error& e) {
            EXPECT_THAT(e.what(), HasSubstr(fmt::format("is at position 2, not {} as expected", wrong)));
        }
    }
    auto fourth = event("m-4", "o-1");
    fourth.expected_position = 2;
    commit({fourth});
    EXPECT_EQ(row("m-4").seq, 4);
}

TEST_P(store_unit, forks_one_row_per_target_broker) {
    auto shipped = event("m-1", "o-1", {"default", "partner", "analytics"});
    shipped.priority = 7;
    commit({shipped, event("m-2", "o-1", {"default"}), event("m-3", "o-1", {})});

    const auto rows = operations_->list({.message_id = "m-1"});
    ASSERT_EQ(rows.size(), 3U);
    for (const auto& forked : rows) {
        EXPECT_EQ(forked.status, row_status::pending);
        EXPECT_EQ(forked.stream, "shop::order-o-1");
        EXPECT_EQ(forked.type, "Shop.OrderShipped.v1");
        EXPECT_EQ(forked.priority, 7);
        EXPECT_EQ(forked.retry_count, 0);
        EXPECT_EQ(forked.created_at, at(0));
        EXPECT_FALSE(forked.published_at);
    }
    EXPECT_EQ(count_rows(), 4U);
    EXPECT_TRUE(operations_->event("m-3"));
}

TEST_P(store_unit, finds_by_a_field_of_the_state) {
    commit({insert("a", R"({"city":"Bonn","size":2,"open":true,"note":null})"),
            insert("b", R"({"city":"Ulm","size":2.0,"open":false,"note":"2"})"),
            insert("c", R"({"city":"Bonn","size":30,"open":true})")});
    EXPECT_THAT(found({"", ""}), ElementsAre("a", "b", "c"));
    EXPECT_THAT(found({"", "", 2}), ElementsAre("a", "b"));
    EXPECT_THAT(found({"city", R"("Bonn")"}), ElementsAre("a", "c"));
    EXPECT_THAT(found({"city", R"("Bonn")", 1}), ElementsAre("a"));
    EXPECT_THAT(found({"size", "2"}), ElementsAre("a", "b"));
    EXPECT_THAT(found({"open", "true"}), ElementsAre("a", "c"));
    EXPECT_THAT(found({"open", "1"}), IsEmpty());
    EXPECT_THAT(found({"note", "null"}), ElementsAre("a", "c"));
    EXPECT_THAT(found({"note", "2"}), IsEmpty());
    EXPECT_THAT(found({"note", R"("2")"}), ElementsAre("b"));
    EXPECT_THAT(found({"nothing", R"("2")"}), IsEmpty());
    EXPECT_THAT(unit_->find("Customer", {"", ""}), IsEmpty());
}

TEST_P(store_unit, finds_past_a_state_of_an_earlier_build_that_contains_u0000) {
    commit({insert("a", R"({"city":"Bonn","note":"x\u0000\u0000y"})"), insert("b", R"({"city":"Bonn"})"),
            insert("c", R"({"city":"U\u0000lm","size":2})"), insert("d", R"({"city":"back\\u0000slash","size":2})")});
    EXPECT_THAT(found({"city", R"("Bonn")"}), ElementsAre("a", "b"));
    EXPECT_THAT(found({"size", "2"}), ElementsAre("c", "d"));
    EXPECT_THAT(found({"city", R"("back\\u0000slash")"}), ElementsAre("d"));
    EXPECT_THAT(found({"", ""}), ElementsAre("a", "b", "c", "d"));
}

TEST_P(store_unit, finds_only_by_scalars_and_plain_names) {
    EXPECT_THROW(static_cast<void>(unit_->find("Order", {"city", "[]"})), usage_error);
    EXPECT_THROW(static_cast<void>(unit_->find("Order", {"city", "{}"})), usage_error);
    EXPECT_THROW(static_cast<void>(unit_->find("Order", {"ci\"ty", "1"})), usage_error);
}

TEST_P(store_unit, keeps_every_commit_of_many_threads) {
    constexpr unsigned writers = 4;
    constexpr unsigned commits = 25;
    commit({insert("shared")});
    {
        std::list<std::jthread> threads;
        for (unsigned writer = 0; writer < writers; ++writer) {
            threads.emplace_back([this, writer] {
                const auto unit = store_->open_unit();
                for (unsigned i = 0; i < commits;) {
                    const auto name = std::to_string(writer) + '-' + std::to_string(i);
                    const auto version = unit->load("Order", "shared")->version;
                    try {
                        unit->commit({.states = {update("shared", version + 1), insert(name)},
                                      .events = {event("m-" + name, "shared")},
                                      .at = at(0)});
                        ++i;
                    } catch (const expected_version_error&) {
                        continue;  // another thread was faster
                    }
                }
            });
        }
    }
    constexpr auto total = std::size_t{writers} * std::size_t{commits};
    EXPECT_EQ(unit_->load("Order", "shared")->version, static_cast<std::int64_t>(total));
    EXPECT_EQ(unit_->find("Order", {"", ""}).size(), total + 1);
    EXPECT_EQ(count_rows(), 2 * total);

    const auto grant = take_lane();
    const auto due = lane_.rows->due(grant, "partner", 0, 2 * total);
    ASSERT_EQ(due.rows.size(), total);
    for (std::size_t i = 0; i < total; ++i) EXPECT_EQ(due.rows[i].seq, static_cast<sequence>(i + 1));
}

}  // namespace
}  // namespace sluice::store::contract
