#include "operate/databases.hpp"

#include <gtest/gtest.h>

namespace sluice::operate {
namespace {

TEST(database_setup_to_json, tells_what_was_there_before) {
    EXPECT_EQ(json::dump(to_json({{.database = "default", .provider = "sqlite shop.db", .before = 0, .after = 12}},
                                 {"order_summary"})),
              R"({"databases":[{"database":"default","provider":"sqlite shop.db","before":0,"schema":12}],)"
              R"("read_models":["order_summary"]})");
}

TEST(schema_view, is_sound_while_no_fault_is_fatal) {
    schema_view view{.database = "default", .provider = "sqlite shop.db", .schema = {.applied = 12, .expected = 12}};
    EXPECT_TRUE(view.is_current());
    EXPECT_TRUE(view.is_sound());
    view.faults.push_back({.code = "OTHER_HISTORY", .element = "lane", .message = "m", .remedy = "r", .fatal = false});
    EXPECT_TRUE(view.is_sound());
    view.faults.push_back({.code = "SEQUENCE_BEHIND", .element = "log", .message = "m", .remedy = "r", .fatal = true});
    EXPECT_FALSE(view.is_sound());
}

TEST(schema_view_to_json, has_the_schema_the_history_and_the_faults) {
    schema_view view{.database = "default",
                     .provider = "sqlite shop.db",
                     .schema = {.applied = 11, .expected = 12, .pending = {"twelfth"}}};
    view.faults.push_back({.code = "C", .element = "e", .message = "m", .remedy = "r", .fatal = false});
    EXPECT_EQ(json::dump(to_json(std::vector{view})),
              R"({"databases":[{"database":"default","provider":"sqlite shop.db","schema":11,"expected":12,)"
              R"("current":false,"pending":["twelfth"],"domain":"","identity":"","incarnation":0,)"
              R"("faults":[{"code":"C","element":"e","message":"m","remedy":"r"}]}]})");
}

TEST(adopted_database_to_json, tells_where_lanes_begin) {
    const adopted_database adopted{.database = "default",
                                   .provider = "sqlite shop.db",
                                   .done = {.identity = "abc", .incarnation = 7, .lanes = 2, .reopened = 3}};
    EXPECT_EQ(json::dump(to_json(std::vector{adopted})),
              R"({"databases":[{"database":"default","identity":"abc","incarnation":7,"lanes":2,"reopened":3}]})");
}

}  // namespace
}  // namespace sluice::operate
