#include "operate/status.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;

const date_time at = date_time::parse("2026-11-23T12:00:00Z");

TEST(status_to_json, has_every_part_even_when_there_is_nothing) {
    EXPECT_EQ(json::dump(to_json(status_view{.at = at})),
              R"({"at":"2026-11-23T12:00:00+00:00","lanes":[],"subscriptions":[],"overdue":[],"orphans":[],)"
              R"("orphaned_groups":[],"unavailable":[]})");
}

TEST(status_to_json, a_lane_has_its_rows_its_owner_and_what_it_waits_for) {
    status_view status{.at = at};
    status.lanes.push_back(
        {.database = "default",
         .broker = "partner",
         .external = true,
         .state = "idle",
         .owner = "vm-1",
         .rate = 2.5,
         .since = at - 60s,
         .horizon = 42,
         .overtaken = 7,
         .rows = lane_rows{.pending = 3, .failed = 1, .abandoned = 4, .published = 50, .oldest = at - 90s}});
    status.held["default"] = {.by = {{.pid = 4242, .age = 1500ms, .application = "psql"}}};
    status.order_waits["default"] = 50;
    EXPECT_EQ(
        json::dump(to_json(status).at("lanes").at(0)),
        R"({"database":"default","broker":"partner","external":true,"state":"flowing","detail":null,"depth":4,)"
        R"("depth_is_estimated":false,"oldest_unconfirmed_at":"2026-11-23T11:58:30+00:00","oldest_unconfirmed_seconds":90.0,"pending":3,)"
        R"("failed":1,"abandoned":4,"published":50,"rate":2.5,"owner":"vm-1",)"
        R"("since":"2026-11-23T11:59:00+00:00","paused_by_operator":null,"last_audit":null,)"
        R"("waits_for":[{"pid":4242,"seconds":1.5,"application":"psql",)"
        R"("state":null}],"order_wait_ms":50,"overtaken":7,"shards":[]})");
}

TEST(status_to_json, names_what_is_left_behind_and_what_is_away) {
    status_view status{.at = at};
    status.groups.push_back({"default", {.stream = "s", .group = "g", .length = 9, .lag = 1, .pending = 2, .dead = 3}});
    status.overdue.push_back({"default", 2, at - 30s});
    status.orphaned.push_back({"default", "old", 5});
    status.outages.push_back({outage::kind::broker, "partner", "no such host"});
    const json::value shown = to_json(status);
    EXPECT_EQ(json::dump(shown.at("subscriptions")),
              R"([{"broker":"default","stream":"s","group":"g","length":9,"lag":1,"pending":2,"dead":3,)"
              R"("shared_name":null}])");
    EXPECT_EQ(json::dump(shown.at("overdue")),
              R"([{"database":"default","messages":2,"since":"2026-11-23T11:59:30+00:00","seconds":30.0}])");
    EXPECT_EQ(shown.at("orphans").at(0).at("rows").as_int(), 5);
    EXPECT_EQ(json::dump(shown.at("unavailable")), R"([{"what":"broker partner","reason":"no such host"}])");
}

TEST(status_view, only_a_lane_at_its_horizon_waits_for_somebody) {
    status_view status{.at = at};
    status.held["default"] = {.by = {{.pid = 1}}};
    EXPECT_EQ(status.holders_of({.database = "default"}), nullptr);
    EXPECT_EQ(status.holders_of({.database = "other", .horizon = 1}), nullptr);
    EXPECT_NE(status.holders_of({.database = "default", .horizon = 1}), nullptr);
}

}  // namespace
}  // namespace sluice::operate
