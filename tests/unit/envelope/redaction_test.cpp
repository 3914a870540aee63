#include "envelope/redaction.hpp"

#include <gtest/gtest.h>

#include <sluice/error.hpp>

namespace sluice::envelope {
namespace {

const std::string order =
    R"({"id":"o-1","total":2.0,"buyer":{"name":"Ada","email":"ada@x"},"lines":[{"note":"a"},{"note":"b","n":1}]})";

TEST(redaction, takes_members_away_at_the_end_of_a_path) {
    EXPECT_EQ(redacted(order, {"buyer.email", "lines.note"}, {}),
              R"({"id":"o-1","total":2.0,"buyer":{"name":"Ada"},"lines":[{},{"n":1}]})");
    EXPECT_EQ(redacted(order, {"buyer", "lines"}, {}), R"({"id":"o-1","total":2.0})");
}

TEST(redaction, can_put_a_text_in_their_place) {
    EXPECT_EQ(redacted(order, {"buyer.email", "lines", "total"}, "***"),
              R"({"id":"o-1","total":"***","buyer":{"name":"Ada","email":"***"},"lines":"***"})");
}

TEST(redaction, leaves_alone_what_a_path_does_not_reach) {
    for (const char* path : {"nothing", "id.x", "buyer.phone", "lines.0.note", "buyer.email.x"}) {
        EXPECT_EQ(redacted(order, {path}, "***"), order) << path;
    }
    EXPECT_EQ(redacted("[]", {"a"}, {}), "[]");
}

TEST(redaction, reaches_into_lists_of_lists) {
    EXPECT_EQ(redacted(R"({"a":[[{"b":1}],[{"b":2,"c":3}]]})", {"a.b"}, {}), R"({"a":[[{}],[{"c":3}]]})");
}

TEST(redaction, without_a_path_changes_no_byte) {
    EXPECT_EQ(redacted("{ \"a\" : 2.0 }", {}, "***"), "{ \"a\" : 2.0 }");
}

TEST(redaction, refuses_what_it_cannot_look_into) {
    EXPECT_THROW(static_cast<void>(redacted("{broken", {"a"}, {})), decode_error);
}

}  // namespace
}  // namespace sluice::envelope
