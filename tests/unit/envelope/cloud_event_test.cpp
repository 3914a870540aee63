#include "envelope/cloud_event.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

#include <sluice/error.hpp>

#include "envelope/format.hpp"

namespace sluice::envelope {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view stored =
    R"({"headers":{"id":"shop::order-o-1-9.1","time":"2026-11-23T07:56:25.613701+00:00","type":"Shop.OrderShipped.v2",
        "stream":"shop::order-o-1","idempotency_key":"SECRET",
        "traceparent":{"trace_id":"0af7651916cd43dd8448eb211c80319c","parent_id":"b7ad6b7169203331","sampled":true}},
        "envelope":{"checksum":"SECRET"},
        "domain":{"fqn":"shop.OrderShipped","stream_category":"shop::order","version":2,"sequence_id":"9.1",
        "correlation_id":"c-1","causation_id":"d-1","priority":5},
        "extensions":{"tenant_id":"acme","_private":"SECRET"}})";

rendered_message rendered(const partner_terms& terms, std::string_view data = R"({"n":2.0})",
                          std::string_view metadata = stored) {
    return external_format(terms)->render(data, metadata).at(0);
}

std::string attribute(const rendered_message& of, std::string_view name) {
    const std::string full = "ce-" + std::string{name};
    const auto found = std::ranges::find(of.head, full, &header::name);
    return found == of.head.end() ? "(none)" : found->value;
}

TEST(cloud_event, structured_form_is_one_json_object) {
    const auto message = rendered({.form = message_form::cloudevents_structured});
    EXPECT_EQ(message.body,
              R"({"specversion":"1.0","id":"shop::order-o-1-9.1","source":"/shop/order","type":"Shop.OrderShipped.v2",)"
              R"("subject":"o-1","time":"2026-11-23T07:56:25.613701Z","partitionkey":"shop::order-o-1",)"
              R"("sequence":"0000000009.0000000001",)"
              R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","correlationid":"c-1",)"
              R"("causationid":"d-1","tenantid":"acme","datacontenttype":"application/json","data":{"n":2.0}})");
    EXPECT_EQ(message.content_type, "application/cloudevents+json; charset=UTF-8");
    EXPECT_TRUE(message.head.empty());
}

TEST(cloud_event, binary_form_has_its_attributes_beside_the_payload) {
    const auto message = rendered({.form = message_form::cloudevents_binary, .with_headers = true});
    EXPECT_EQ(message.body, R"({"n":2.0})") << "byte for byte as it was stored";
    EXPECT_EQ(message.content_type, "application/json");
    EXPECT_EQ(attribute(message, "specversion"), "1.0");
    EXPECT_EQ(attribute(message, "id"), "shop::order-o-1-9.1");
    EXPECT_EQ(attribute(message, "subject"), "o-1");
    EXPECT_EQ(attribute(message, "tenantid"), "acme");
    EXPECT_EQ(attribute(message, "datacontenttype"), "(none)") << "that is the content type of the message";
    for (const auto& each : message.head) EXPECT_EQ(each.value.find("SECRET"), std::string::npos);
}

TEST(cloud_event, takes_source_and_schema_from_the_configuration) {
    const auto message = rendered({.form = message_form::cloudevents_binary,
                                   .source = "urn:eu:shop",
                                   .dataschema = "https://schemas.example/{event}/{version}"});
    EXPECT_EQ(attribute(message, "source"), "urn:eu:shop");
    EXPECT_EQ(attribute(message, "dataschema"), "https://schemas.example/OrderShipped/2");
}

TEST(cloud_event, leaves_out_what_is_empty) {
    const auto message =
        rendered({.form = message_form::cloudevents_binary}, "{}", R"({"headers":{"id":"m","type":"T"}})");
    EXPECT_EQ(message.head.size(), 4U) << "specversion, id, source and type";
    EXPECT_EQ(attribute(message, "source"), "/");
}

TEST(cloud_event, sequences_sort_as_texts) {
    std::vector<std::string> texts;
    for (const char* sequence : {"9.1", "9.10", "10.1", "100.2", "100.12"}) {
        const std::string metadata =
            R"({"headers":{"id":"m","type":"T"},"domain":{"sequence_id":")" + std::string{sequence} + "\"}}";
        texts.push_back(attribute(rendered({.form = message_form::cloudevents_binary}, "{}", metadata), "sequence"));
    }
    EXPECT_TRUE(std::ranges::is_sorted(texts)) << ::testing::PrintToString(texts);
}

TEST(cloud_event, an_older_version_is_an_event_of_its_own) {
    const auto messages = external_format({.form = message_form::cloudevents_structured})
                              ->render("{}", R"({"headers":{"id":"m","type":"Shop.Sent.v2"},"domain":{"version":2},
                                  "extensions":{"_also_published":{"1":{"old":1}}}})");
    ASSERT_EQ(messages.size(), 2U);
    EXPECT_EQ(messages[1].id_suffix, "~v1");
    const auto old = json::parse(messages[1].body);
    EXPECT_EQ(old.at("id").as_string(), "m~v1");
    EXPECT_EQ(old.at("type").as_string(), "Shop.Sent.v1");
    EXPECT_EQ(json::dump(old.at("data")), R"({"old":1})");
}

std::string refusal_of(std::string_view metadata) {
    try {
        static_cast<void>(rendered({.form = message_form::cloudevents_structured}, "{}", metadata));
    } catch (const usage_error& e) {
        return e.what();
    }
    return "rendered";
}

TEST(cloud_event, refuses_what_cloudevents_forbid_and_names_the_attribute) {
    EXPECT_THAT(refusal_of(R"({"headers":{"id":"a\nb","type":"T"}})"),
                HasSubstr("attribute `id` of the CloudEvent a b"));
    EXPECT_THAT(refusal_of(R"({"headers":{"id":"m","type":"T"},"extensions":{"note":"\u0085"}})"),
                HasSubstr("attribute `note`"));
    EXPECT_THAT(refusal_of(R"({"headers":{"id":"m","type":"T"},"extensions":{"note":"\uffff"}})"),
                HasSubstr("attribute `note`"));
}

TEST(cloud_event, refuses_extensions_that_would_be_something_else) {
    EXPECT_THAT(refusal_of(R"({"headers":{"id":"m","type":"T"},"extensions":{"Time":"x"}})"),
                HasSubstr("extension `Time` of the CloudEvent m would be the attribute `time`"));
    EXPECT_THAT(refusal_of(R"({"headers":{"id":"m","type":"T"},"extensions":{"a_b":1,"ab":2}})"),
                HasSubstr("extension `ab`"));
    EXPECT_THAT(refusal_of(R"({"headers":{"id":"m","type":"T"},"extensions":{"_":1,"--":2}})"),
                HasSubstr("is no name"));
}

TEST(cloud_event, redacts_the_payload) {
    const auto message =
        rendered({.form = message_form::cloudevents_binary, .redact = {"a.b"}}, R"({"a":{"b":1,"c":2}})");
    EXPECT_EQ(message.body, R"({"a":{"c":2}})");
}

// ---- reading --------------------------------------------------------------------------------------------------------

void expect_the_stored_one(const message& read) {
    EXPECT_EQ(read.id(), "shop::order-o-1-9.1");
    EXPECT_EQ(read.type().text(), "Shop.OrderShipped.v2");
    EXPECT_EQ(json::dump(read.data()), R"({"n":2.0})");
    const message_metadata& metadata = read.metadata();
    EXPECT_EQ(metadata.headers.stream, "shop::order-o-1");
    EXPECT_EQ(metadata.headers.time, date_time::parse("2026-11-23T07:56:25.613701Z"));
    ASSERT_TRUE(metadata.headers.traceparent);
    EXPECT_EQ(metadata.headers.traceparent->parent_id, "b7ad6b7169203331");
    EXPECT_EQ(metadata.domain.version, 2);
    EXPECT_EQ(metadata.domain.sequence_id, "9.1");
    EXPECT_EQ(metadata.domain.causation_id, "d-1");
    EXPECT_EQ(read.correlation_id(), "c-1");
    EXPECT_EQ(metadata.extensions.at("tenantid").as_string(), "acme");
    EXPECT_EQ(metadata.extensions.at("subject").as_string(), "o-1");
    EXPECT_EQ(read.raw().at("source").as_string(), "/shop/order");
}

TEST(cloud_event, is_read_in_both_forms) {
    const auto structured = rendered({.form = message_form::cloudevents_structured});
    expect_the_stored_one(message::decode(structured.body));
    expect_the_stored_one(external_format()->read(structured.body, {}));
    const auto binary = rendered({.form = message_form::cloudevents_binary});
    expect_the_stored_one(external_format()->read(binary.body, binary.head));
    expect_the_stored_one(internal_format()->read(binary.body, binary.head));
}

TEST(cloud_event, of_somebody_else_is_read_with_what_it_has) {
    const auto read = message::decode(
        R"({"specversion":"1.0","id":"1","source":"urn:x","type":"com.example.sent","subject":null,"data":{},"own":7})");
    EXPECT_EQ(read.id(), "1");
    EXPECT_EQ(read.type().text(), "com.example.sent");
    EXPECT_EQ(read.metadata().headers.stream, "");
    EXPECT_EQ(read.metadata().extensions.at("own").as_int(), 7);
    EXPECT_FALSE(read.metadata().extensions.contains("subject")) << "null means absent";
}

TEST(cloud_event, that_cannot_be_read_says_why) {
    const auto problem = [](std::string_view body) -> std::string {
        try {
            static_cast<void>(message::decode(body));
        } catch (const decode_error& e) {
            return e.what();
        }
        return "read";
    };
    EXPECT_EQ(problem(R"({"specversion":"1.0","source":"s","type":"t","data":{}})"),
              "the CloudEvent has no attribute `id`");
    EXPECT_EQ(problem(R"({"specversion":"1.0","id":"1","type":"t","data":{}})"),
              "the CloudEvent has no attribute `source`");
    EXPECT_EQ(problem(R"({"specversion":"0.3","id":"1","source":"s","type":"t","data":{}})"),
              "the CloudEvent is of version 0.3, and only 1.0 is known");
    EXPECT_EQ(problem(R"({"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"AA=="})"),
              "the message has no \"data\"");
    EXPECT_THROW(static_cast<void>(external_format()->read("no json", {{"ce-specversion", "1.0"}})), decode_error);
}

}  // namespace
}  // namespace sluice::envelope
