#include <gtest/gtest.h>

#include <sluice/error.hpp>
#include <sluice/message.hpp>

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

TEST(render_external, lets_only_listed_extensions_leave_when_there_is_a_list) {
    const std::string metadata = R"({"extensions":{"tenant_id":"acme","user":"SECRET","_private":"SECRET"}})";
    const auto extensions = [&](const extension_list& allowed) {
        return json::parse(render_external("{}", metadata, allowed)).at("metadata").find("extensions");
    };
    const auto rendered = render_external("{}", metadata, std::vector<std::string>{"tenant_id", "_private", "other"});
    EXPECT_EQ(json::dump(json::parse(rendered).at("metadata").at("extensions")), R"({"tenant_id":"acme"})");
    EXPECT_EQ(extensions(std::vector<std::string>{}), nullptr) << "an empty list lets none pass";
    EXPECT_EQ(extensions(std::vector<std::string>{"other"}), nullptr);
}

constexpr std::string_view in_two_versions =
    R"({"headers":{"id":"shop::order-1-0.1","type":"Shop.Sent.v3","stream":"shop::order-1"},
        "domain":{"fqn":"shop.Sent","version":3,"sequence_id":"0.1","correlation_id":"c","causation_id":"d"},
        "extensions":{"tenant":"acme","user":"SECRET","_also_published":{"2":{"n":2.0},"1":{}}}})";

TEST(render_for_partner, renders_the_event_first_and_then_each_older_version) {
    const auto messages =
        render_for_partner(R"({"n":3})", in_two_versions, {.extensions = std::vector<std::string>{"tenant"}});
    ASSERT_EQ(messages.size(), 3U);
    EXPECT_EQ(messages[0].id_suffix, "");
    EXPECT_EQ(messages[0].body, render_external(R"({"n":3})", in_two_versions, std::vector<std::string>{"tenant"}));
    EXPECT_EQ(messages[1].id_suffix, "~v2");
    EXPECT_EQ(messages[2].id_suffix, "~v1");
    EXPECT_TRUE(messages[1].body.starts_with(R"({"data":{"n":2.0},"metadata":{)")) << "the payload is as it was stored";
    for (const auto& each : messages) EXPECT_EQ(each.body.find("SECRET"), std::string::npos) << each.body;
    const auto old = message::decode(messages[2].body);
    EXPECT_EQ(old.id(), "shop::order-1-0.1~v1");
    EXPECT_EQ(old.type().text(), "Shop.Sent.v1");
    EXPECT_EQ(old.metadata().domain.version, 1);
    EXPECT_EQ(old.metadata().headers.stream, "shop::order-1");
    EXPECT_EQ(old.metadata().domain.sequence_id, "0.1");
    EXPECT_EQ(old.metadata().domain.causation_id, "d");
    EXPECT_EQ(old.correlation_id(), "c");
    EXPECT_EQ(json::dump(old.raw().at("metadata").at("extensions")), R"({"tenant":"acme"})");
}

TEST(render_for_partner, never_lets_the_stored_older_versions_leave_inside_an_envelope) {
    for (const auto& each : render_for_partner("{}", in_two_versions, {})) {
        EXPECT_EQ(each.body.find("_also_published"), std::string::npos);
    }
}

TEST(render_for_partner, tells_beside_the_body_what_it_is_where_the_broker_carries_that) {
    const auto with = render_for_partner("{}", in_two_versions, {.with_headers = true});
    EXPECT_EQ(with.at(0).head,
              (header_list{{"id", "shop::order-1-0.1"}, {"type", "Shop.Sent.v3"}, {"correlation_id", "c"}}));
    EXPECT_EQ(with.at(1).head.at(0), (header{"id", "shop::order-1-0.1~v2"}));
    EXPECT_TRUE(render_for_partner("{}", in_two_versions, {}).at(0).head.empty());
}

TEST(render_for_partner, takes_out_of_every_version_what_partners_must_not_see) {
    const auto messages = render_for_partner(R"({"n":3})", in_two_versions, {.redact = {"n"}, .redact_with = "-"});
    EXPECT_TRUE(messages.at(0).body.starts_with(R"({"data":{"n":"-"},)"));
    EXPECT_TRUE(messages.at(1).body.starts_with(R"({"data":{"n":"-"},)"));
}

TEST(render_for_partner, refuses_what_is_no_version) {
    for (const char* older : {R"("text")", R"({"one":{}})", R"({"0":{}})", R"({"1x":{}})"}) {
        EXPECT_THROW(
            (void)render_for_partner("{}", R"({"extensions":{"_also_published":)" + std::string{older} + "}}", {}),
            decode_error)
            << older;
    }
}

}  // namespace
}  // namespace sluice::envelope
