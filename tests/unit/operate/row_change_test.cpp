#include "operate/row_change.hpp"

#include <gtest/gtest.h>

#include "operate/request_error.hpp"

namespace sluice::operate {
namespace {

TEST(row_change, refuses_a_status_that_the_action_is_not_about) {
    const installation nothing{};
    store::outbox_filter pending;
    pending.status = store::row_status::pending;
    EXPECT_THROW((row_change{nothing, row_action::retry, pending}), request_error);
    EXPECT_EQ((row_change{nothing, row_action::discard, pending}.count()), 0U);
}

TEST(row_change, a_message_without_a_row_is_not_found) {
    const installation nothing{};
    store::outbox_filter one;
    one.message_id = "m-1";
    try {
        row_change{nothing, row_action::retry, one};
        FAIL();
    } catch (const request_error& e) {
        EXPECT_EQ(e.why(), request_error::reason::not_found);
    }
}

TEST(row_change, does_not_retire_a_broker_that_is_configured) {
    installation with{};
    with.configuration.outbox.external_brokers = {"partner"};
    store::outbox_filter of_broker;
    of_broker.target_broker = "partner";
    try {
        row_change{with, row_action::retire, of_broker};
        FAIL();
    } catch (const request_error& e) {
        EXPECT_EQ(e.why(), request_error::reason::conflict);
        EXPECT_STREQ(e.code(), "still_configured");
    }
}

TEST(rows_outcome_to_json, a_database_that_failed_has_no_count) {
    const rows_outcome outcome{.changed = 2,
                               .left = {{.database = "default", .broker = "old", .count = 3, .reason = "no lane"},
                                        {.database = "archive", .reason = "away"}}};
    EXPECT_EQ(json::dump(to_json(outcome)),
              R"({"changed":2,"left":[{"database":"default","broker":"old","count":3,"reason":"no lane"},)"
              R"({"database":"archive","broker":null,"count":null,"reason":"away"}]})");
}

}  // namespace
}  // namespace sluice::operate
