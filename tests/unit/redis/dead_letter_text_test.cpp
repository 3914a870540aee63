#include "broker/redis/dead_letter_text.hpp"

#include <gtest/gtest.h>

#include <sluice/json.hpp>

namespace sluice::broker::redis {
namespace {

const date_time noon = date_time::parse("2026-11-23T12:00:00Z");
const death why{.reason = "it said \"_dlq_metadata\": no", .code = "handler_failed", .attempts = 3, .at = noon};
const membership member{.group = "g", .consumer = "c"};

std::string bury(const std::string& body) {
    return dead_letter_text({.entry = "replay/2-0", .stream = "shop::order", .body = body, .key = {}}, "1-0", member,
                            why, noon + duration{7});
}

TEST(dead_letter_text, appends_to_the_message_what_protean_appends) {
    EXPECT_EQ(bury(R"({"data": {"n": 1.0}, "metadata": null})"),
              R"({"data": {"n": 1.0}, "metadata": null, "_dlq_metadata": {"original_stream": "shop::order", )"
              R"("original_id": "1-0", "consumer_group": "g", "consumer": "c", )"
              R"("failed_at": "2026-11-23T12:00:00+00:00", "retry_count": 3, )"
              R"("failure_reason": "it said \"_dlq_metadata\": no", "code": "handler_failed", )"
              R"("buried_at": "2026-11-23T12:00:00.000007+00:00"}})");
}

TEST(dead_letter_text, gives_back_every_body_byte_for_byte) {
    for (const std::string& body :
         {std::string{R"({"data": {"n": 1.0}})"}, std::string{"{}"}, std::string{"{ }"}, std::string{"{\"a\":1} \n"},
          std::string{" {\"a\" : \"}\"}"}, std::string{"17"}, std::string{"not json"}, std::string("\0{", 2),
          std::string{R"({"_dlq_metadata": {"raw": 1}})"}, std::string{R"({"x": "\"_dlq_metadata\": {}"})"}}) {
        const auto back = read_dead_letter(bury(body));
        ASSERT_TRUE(back) << body;
        EXPECT_EQ(back->entry.body, body);
        EXPECT_EQ(back->entry.reason, why.reason);
        EXPECT_EQ(back->buried_at, noon + duration{7});
        EXPECT_TRUE(json::parse(bury(body)).is_object()) << "Protean's tools can read it";
    }
}

TEST(dead_letter_text, reads_what_protean_wrote) {
    const auto back =
        read_dead_letter(R"({"data": {}, "_dlq_metadata": {"original_stream": "s", "original_id": "5-1", )"
                         R"("consumer_group": "app.H", "consumer": "H-1", "failed_at": null}, "x": 2.50})");
    ASSERT_TRUE(back);
    EXPECT_EQ(back->entry.stream, "s");
    EXPECT_EQ(back->entry.original_entry, "5-1");
    EXPECT_EQ(back->entry.group, "app.H");
    EXPECT_EQ(back->entry.reason, "unknown");
    EXPECT_EQ(back->entry.attempts, 0);
    EXPECT_EQ(back->entry.body, R"({"data":{},"x":2.50})") << "somebody wrote behind it";
}

TEST(dead_letter_text, is_not_confused_by_other_entries) {
    for (const char* text :
         {"", "17", "{}", R"({"_dlq_metadata": 1})", "{\"_dlq_metadata\": {\"raw\": \"*\"}}", "\xff"}) {
        EXPECT_FALSE(read_dead_letter(text)) << text;
    }
}

}  // namespace
}  // namespace sluice::broker::redis
