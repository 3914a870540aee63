#include "operate/backfills.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operate/request_error.hpp"
#include "store/memory/memory_database.hpp"
#include "store/store.hpp"

namespace sluice::operate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const date_time morning = date_time::parse("2026-12-01T08:00:00Z");

class backfills : public ::testing::Test {
protected:
    backfills() {
        add_event("OrderPlaced", 2, true, "shop::Order");
        add_event("OrderChecked", 1, false, "shop::Order");
        add_event("BillSent", 1, true, "shop::Bill");
        add_aggregate("shop::Order", "shop::order", "default");
        add_aggregate("shop::Bill", "shop::bill", "billing");
        for (const char* name : {"default", "billing"}) {
            with_.parts.databases.emplace(name, store::make_memory_database(name));
        }
        with_.configuration.outbox.broker = "inside";
        with_.configuration.outbox.external_brokers = {"partner"};
        domain_.normalized = "shop";
    }

    void add_event(const std::string& name, int version, bool published, const std::string& aggregate) {
        auto& event = domain_.events["shop::" + name];
        event.cpp_name = "shop::" + name;
        event.name = name;
        event.version = version;
        event.published = published;
        event.aggregate = aggregate;
        event.type = "Shop." + name + ".v" + std::to_string(version);
    }
    void add_aggregate(const std::string& cpp_name, const std::string& category, const std::string& database) {
        auto& aggregate = domain_.aggregates[cpp_name];
        aggregate.cpp_name = cpp_name;
        aggregate.name = cpp_name.substr(cpp_name.rfind(':') + 1);
        aggregate.category = category;
        aggregate.database = database;
    }
    void commit(const std::string& database, const std::string& id, const std::string& type) {
        with_.parts.databases.at(database)->open_unit()->commit({.events = {{.event = {.message_id = id,
                                                                                       .stream = "shop::order-1",
                                                                                       .stream_category = "shop::order",
                                                                                       .type = type,
                                                                                       .data = "{}",
                                                                                       .metadata = "{}",
                                                                                       .created_at = morning},
                                                                             .target_brokers = {"inside"}}},
                                                                 .at = morning});
    }
    [[nodiscard]] std::string error_of(const backfill_request& asked) {
        try {
            static_cast<void>(begin_backfill(domain_, with_, asked, morning));
        } catch (const error& e) {
            return e.what();
        }
        return "no error";
    }

    detail::registry domain_;
    installation with_;
};

TEST_F(backfills, are_ordered_in_each_database_that_has_events_for_the_broker_in_all_their_versions) {
    const auto begun = begin_backfill(domain_, with_, {.broker = "partner", .rate = 7}, morning);
    ASSERT_EQ(begun.size(), 2U);
    EXPECT_EQ(begun[0].database, "billing");
    EXPECT_THAT(begun[0].what.order.types, ElementsAre("Shop.BillSent.v1"));
    EXPECT_EQ(begun[1].database, "default");
    EXPECT_THAT(begun[1].what.order.types, ElementsAre("Shop.OrderPlaced.v1", "Shop.OrderPlaced.v2"));
    EXPECT_EQ(begun[1].what.order.rate, 7);
    EXPECT_EQ(list_backfills(with_, "partner", 10).size(), 2U);
}

TEST_F(backfills, are_about_what_the_lane_of_the_broker_would_get_today) {
    with_.configuration.outbox.lanes["partner"].events = {"Order*"};
    const auto begun = begin_backfill(domain_, with_, {.broker = "partner"}, morning);
    ASSERT_EQ(begun.size(), 1U);
    EXPECT_EQ(begun[0].database, "default");
    EXPECT_THAT(error_of({.broker = "partner", .types = {"BillSent"}}),
                HasSubstr("no published event of domain shop that partner gets is meant"));
    EXPECT_THAT(error_of({.broker = "partner", .types = {"OrderChecked"}}), HasSubstr("no published event"));
}

TEST_F(backfills, count_what_they_would_give) {
    commit("default", "m-1", "Shop.OrderPlaced.v1");
    commit("default", "m-2", "Shop.OrderChecked.v1");
    commit("default", "m-3", "Shop.OrderPlaced.v2");
    const auto counted = count_backfill(domain_, with_, {.broker = "partner", .database = "default", .first = 2});
    ASSERT_EQ(counted.size(), 1U);
    EXPECT_EQ(counted[0].after, 1);
    EXPECT_EQ(counted[0].found.events, 1);
    EXPECT_EQ(json::dump(to_json(counted)),
              R"({"dry_run":true,"databases":[{"database":"default","after":1,"events":1,"known":0}]})");
}

TEST_F(backfills, begin_with_the_first_event_of_a_time_or_behind_the_last) {
    commit("default", "m-1", "Shop.OrderPlaced.v2");
    const auto after = [&](date_time since) {
        return count_backfill(domain_, with_, {.broker = "partner", .database = "default", .since = since})[0].after;
    };
    EXPECT_EQ(after(morning), 0);
    EXPECT_EQ(after(morning + std::chrono::hours{1}), 1);
}

TEST_F(backfills, say_what_cannot_be_meant) {
    EXPECT_THAT(error_of({.broker = "partnr"}), HasSubstr("did you mean \"partner\"?"));
    EXPECT_THAT(error_of({.broker = "inside"}), HasSubstr("is the internal broker"));
    EXPECT_THAT(error_of({.broker = "partner", .first = 3}), HasSubstr("--database"));
    EXPECT_EQ(error_of({.broker = "partner"}), "no error");
    EXPECT_THAT(error_of({.broker = "partner"}), HasSubstr("has not ended"));
}

TEST_F(backfills, of_one_broker_are_changed_together) {
    EXPECT_THROW(static_cast<void>(change_backfill(with_, "partner", store::backfill_state::paused, {}, morning)),
                 request_error);
    static_cast<void>(begin_backfill(domain_, with_, {.broker = "partner"}, morning));
    EXPECT_EQ(change_backfill(with_, "partner", store::backfill_state::paused, 3.0, morning).size(), 2U);
    for (const auto& each : list_backfills(with_, "", 10)) {
        EXPECT_EQ(each.what.state, store::backfill_state::paused);
        EXPECT_EQ(each.what.order.rate, 3);
    }
}

}  // namespace
}  // namespace sluice::operate
