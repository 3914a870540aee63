#include "operate/outbox_rows.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "operate/request_error.hpp"

namespace sluice::operate {
namespace {

using namespace std::chrono_literals;

const date_time noon = date_time::parse("2026-11-23T12:00:00Z");

located_row row_written(const std::string& database, const std::string& id, date_time at) {
    return {database, {.seq = 7, .message_id = id, .target_broker = "partner", .stream = "s-1", .created_at = at}};
}

TEST(row_status_named, knows_each_word_and_offers_the_nearest) {
    EXPECT_EQ(row_status_named("failed"), store::row_status::failed);
    try {
        static_cast<void>(row_status_named("faild"));
        FAIL();
    } catch (const request_error& e) {
        EXPECT_EQ(e.why(), request_error::reason::wrong_request);
        EXPECT_NE(std::string{e.what()}.find("did you mean \"failed\"?"), std::string::npos) << e.what();
    }
}

TEST(merge_rows, puts_the_newest_of_all_databases_first) {
    std::vector<located_row> rows{row_written("a", "old", noon - 2min), row_written("b", "new", noon),
                                  row_written("b", "older", noon - 3min), row_written("b", "as old", noon - 2min)};
    merge_rows(rows, 3);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].row.message_id, "new");
    EXPECT_EQ(rows[1].row.message_id, "old") << "of two of one time the first database's comes first";
    EXPECT_EQ(rows[2].row.message_id, "as old");
}

TEST(located_row_to_json, what_is_absent_is_null_and_an_error_is_embedded) {
    located_row row = row_written("default", "m-1", noon);
    row.row.type = "T.v1";
    EXPECT_EQ(json::dump(to_json(row)),
              R"({"database":"default","seq":7,"message_id":"m-1","target_broker":"partner","stream":"s-1",)"
              R"("type":"T.v1","status":"pending","priority":0,"retry_count":0,"next_retry_at":null,)"
              R"("last_error":null,"published_at":null,"receipt":null,"created_at":"2026-11-23T12:00:00+00:00"})");
    row.row.last_error = R"({"reason":"refused"})";
    EXPECT_EQ(to_json(row).at("last_error").at("reason").as_string(), "refused");
    row.row.last_error = "no json";
    EXPECT_EQ(to_json(row).at("last_error").as_string(), "no json");
}

TEST(message_view_to_json, shows_envelopes_only_when_they_were_asked_for) {
    message_view message{
        .database = "default", .event = {.message_id = "m-1", .data = R"({"a":1})"}, .rows = {}, .departures = {}};
    EXPECT_FALSE(to_json(message).contains("envelope"));
    EXPECT_EQ(to_json(message).at("data").at("a").as_int(), 1);
    message.departures.push_back(
        {.brokers = {"partner"},
         .messages = {{.id_suffix = "", .body = R"({"v":2})"}, {.id_suffix = "~v1", .body = R"({"v":1})"}}});
    const json::value shown = to_json(message);
    EXPECT_EQ(json::dump(shown.at("envelope")), R"({"v":2})");
    EXPECT_EQ(json::dump(shown.at("envelopes").at(1)),
              R"({"brokers":["partner"],"message_id":"m-1~v1","envelope":{"v":1}})");
}

}  // namespace
}  // namespace sluice::operate
