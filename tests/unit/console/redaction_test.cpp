#include "console/redaction.hpp"

#include <gtest/gtest.h>

namespace sluice::console {
namespace {

using config::console_role;

std::string shown(const std::string& payload, std::vector<std::string> fields, console_role to = console_role::viewer) {
    return json::dump(redaction{{.fields = std::move(fields)}}.shown(json::parse(payload), to));
}

TEST(console_redaction, hides_members_at_any_depth_from_everybody) {
    EXPECT_EQ(shown(R"({"email":"a@b","x":[{"email":{"a":1},"y":2}]})", {"email"}, console_role::operating),
              R"({"email":"•••","x":[{"email":"•••","y":2}]})");
}

TEST(console_redaction, a_path_means_its_end) {
    EXPECT_EQ(shown(R"({"card":{"number":"1"},"number":"2","a":{"card":[{"number":"3"}]}})", {"card.number"}),
              R"({"card":{"number":"•••"},"number":"2","a":{"card":[{"number":"•••"}]}})");
}

TEST(console_redaction, looks_into_json_within_a_text) {
    EXPECT_EQ(shown(R"({"older":"{\"email\":\"a@b\",\"c\":1}","t":"{no json"})", {"email"}),
              R"({"older":"{\"email\":\"•••\",\"c\":1}","t":"{no json"})");
}

TEST(console_redaction, shows_nothing_of_a_text_in_which_members_cannot_be_told) {
    const redaction hides{{.fields = {"email"}}};
    EXPECT_EQ(hides.shown_text("email=a@b", console_role::operating).find("a@b"), std::string::npos);
    EXPECT_EQ(redaction{{}}.shown_text("email=a@b", console_role::viewer), "email=a@b");
    EXPECT_EQ(hides.shown_text(R"({"email":"a@b"})", console_role::viewer).find("a@b"), std::string::npos);
}

TEST(console_redaction, payloads_may_be_for_operators_or_for_nobody) {
    const redaction for_operators{{.payloads = console_role::operating, .fields = {}}};
    EXPECT_EQ(for_operators.shown(json::parse(R"({"a":1})"), console_role::viewer), json::value{redaction::mark});
    EXPECT_EQ(for_operators.shown(json::parse(R"({"a":1})"), console_role::operating), json::parse(R"({"a":1})"));
    EXPECT_EQ(for_operators.shown_text("abc", console_role::viewer), redaction::mark);
    const redaction for_nobody{{.payloads = std::nullopt, .fields = {}}};
    EXPECT_FALSE(for_nobody.sees_payloads(console_role::operating));
}

}  // namespace
}  // namespace sluice::console
