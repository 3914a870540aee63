#include "operate/groups.hpp"

#include <gtest/gtest.h>

#include "operate/request_error.hpp"

namespace sluice::operate {
namespace {

TEST(require_names, refuses_the_same_name_and_what_is_none) {
    require_names("shop.Notify", "shop.notify");
    for (const char* name : {"shop.Notify", "", "two words", "host@group"}) {
        EXPECT_THROW(require_names("shop.Notify", name), request_error) << name;
    }
}

TEST(groups_to_json, tell_what_was_changed) {
    EXPECT_EQ(json::dump(to_json(renamed_group{.from = "a", .to = "b", .streams = 2, .inbox_marks = 7})),
              R"({"from":"a","to":"b","streams":2,"inbox_marks":7})");
    EXPECT_EQ(json::dump(to_json(retired_group{.group = "a", .streams = 2, .inbox_marks = 7})),
              R"({"group":"a","streams":2,"inbox_marks":7})");
}

}  // namespace
}  // namespace sluice::operate
