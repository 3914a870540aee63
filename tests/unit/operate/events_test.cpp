#include "operate/events.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;

const date_time midday = date_time::parse("2026-11-23T12:00:00Z");

located_event event_written(const std::string& database, const std::string& id, date_time at) {
    return {database,
            {.seq = 7,
             .position = 2,
             .event = {.message_id = id,
                       .stream = "s-1",
                       .type = "T.v1",
                       .data = R"({"a":1})",
                       .metadata = "broken",
                       .created_at = at}}};
}

TEST(merge_events, orders_by_time_as_the_filter_wants) {
    const std::vector<located_event> events{event_written("a", "second", midday),
                                            event_written("b", "first", midday - 1s),
                                            event_written("b", "third", midday + 1s)};
    auto newest = events;
    merge_events(newest, {.newest_first = true, .limit = 2});
    ASSERT_EQ(newest.size(), 2U);
    EXPECT_EQ(newest[0].at.event.message_id, "third");
    auto oldest = events;
    merge_events(oldest, {.limit = 2});
    ASSERT_EQ(oldest.size(), 2U);
    EXPECT_EQ(oldest[0].at.event.message_id, "first");
}

TEST(event_to_json, has_its_place_its_texts_and_its_copies) {
    const event_view event{.event = event_written("default", "m-1", midday),
                           .rows = {{.target_broker = "partner", .status = store::row_status::failed}}};
    EXPECT_EQ(json::dump(to_json(event)),
              R"({"database":"default","seq":7,"position":2,"message_id":"m-1","type":"T.v1","stream":"s-1",)"
              R"("created_at":"2026-11-23T12:00:00+00:00","data":{"a":1},"metadata":"broken",)"
              R"("rows":[{"target_broker":"partner","status":"failed"}]})");
}

}  // namespace
}  // namespace sluice::operate
