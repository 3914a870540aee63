#include <gtest/gtest.h>

#include <sluice/error.hpp>

#include "envelope/envelope.hpp"

namespace sluice::envelope {
namespace {

TEST(render_internal, splices_both_texts_as_stored) {
    EXPECT_EQ(render_internal("{ \"a\" : 2.0 }", "{\"x\": 1}"), "{\"data\":{ \"a\" : 2.0 },\"metadata\":{\"x\": 1}}");
}

TEST(render_external, splices_the_payload_as_stored) {
    EXPECT_TRUE(render_external("{ \"a\" : 2.0 }", "{}").starts_with("{\"data\":{ \"a\" : 2.0 },\"metadata\":{"));
}

TEST(render_external, lets_nothing_leave_that_is_not_listed) {
    const auto rendered = render_external("{}", R"({"headers":{"id":"m","idempotency_key":"SECRET","deadline":"SECRET",
        "added_later":"SECRET","traceparent":{"trace_id":"t","parent_id":"p","sampled":false,"state":"SECRET"}},
        "envelope":{"specversion":"9","checksum":"SECRET","extra":"SECRET"},
        "domain":{"fqn":"f","asynchronous":true,"expected_version":7,"priority":5,"added_later":"SECRET"},
        "event_store":{"position":"SECRET"},"added_later":"SECRET",
        "extensions":{"tenant":"acme","_private":"SECRET"}})");
    EXPECT_EQ(rendered.find("SECRET"), std::string::npos) << rendered;
    EXPECT_EQ(rendered.find("priority"), std::string::npos);
    EXPECT_EQ(rendered.find("asynchronous"), std::string::npos);
    EXPECT_EQ(rendered.find("expected_version"), std::string::npos);

    const auto metadata = json::parse(rendered).at("metadata");
    EXPECT_EQ(json::dump(metadata.at("envelope")), R"({"specversion":"1.0"})");
    EXPECT_EQ(json::dump(metadata.at("extensions")), R"({"tenant":"acme"})");
    EXPECT_EQ(metadata.at("headers").as_object().size(), 5U);
    EXPECT_EQ(metadata.at("domain").as_object().size(), 8U);
}

TEST(render_external, omits_extensions_when_none_may_leave) {
    EXPECT_FALSE(json::parse(render_external("{}", R"({"extensions":{}})")).at("metadata").contains("extensions"));
    EXPECT_FALSE(
        json::parse(render_external("{}", R"({"extensions":{"_a":1}})")).at("metadata").contains("extensions"));
}

TEST(render_external, keeps_the_text_of_numbers_in_extensions) {
    const auto rendered = render_external("{}", R"({"extensions":{"n":2.0,"big":1180591620717411303424}})");
    EXPECT_NE(rendered.find(R"("extensions":{"n":2.0,"big":1180591620717411303424})"), std::string::npos);
}

TEST(render_external, refuses_unreadable_metadata) {
    EXPECT_THROW((void)render_external("{}", "{"), decode_error);
    EXPECT_THROW((void)render_external("{}", "[]"), decode_error);
}

}  // namespace
}  // namespace sluice::envelope
