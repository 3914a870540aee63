#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include <sluice/json.hpp>

#include "envelope/cloud_event.hpp"
#include "envelope/format.hpp"
#include "envelope/percent_header.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::envelope {
namespace {

using sluice::testing::shell_word;

constexpr std::string_view stored =
    R"({"headers":{"id":"shop::order-o-1 \u20ac \"%\"-9.1","time":"2026-11-23T07:56:25.613701+00:00",
        "type":"Shop.OrderShipped.v2","stream":"shop::order-o-1 \u20ac \"%\"",
        "traceparent":{"trace_id":"0af7651916cd43dd8448eb211c80319c","parent_id":"b7ad6b7169203331","sampled":true}},
        "domain":{"stream_category":"shop::order","version":2,"sequence_id":"9.1","correlation_id":"c-1"},
        "extensions":{"tenant_id":"acme"}})";
constexpr std::string_view payload = R"({"amount":1.10,"note":"\u20ac \"quoted\"","lines":[{"n":1}]})";

/// The official SDK judges what we write, and writes what we read.
class cloudevents_sdk : public ::testing::Test {
protected:
    void SetUp() override {
        std::ifstream file{std::filesystem::path{SDK_ENVIRONMENT} / "unavailable"};
        std::string why;
        if (std::getline(file, why)) GTEST_SKIP() << why;
    }

    [[nodiscard]] json::value peer(const std::string& arguments) {
        return json::parse(sluice::testing::run_command(
            fmt::format("{}/bin/python {} {}", shell_word(SDK_ENVIRONMENT), shell_word(SDK_PEER), arguments)));
    }
    [[nodiscard]] std::string file_with(const std::string& body) {
        std::ofstream{directory_ / "body", std::ios::binary} << body;
        return shell_word((directory_ / "body").native());
    }
    static rendered_message rendered(message_form form) {
        return external_format({.form = form, .with_headers = true, .dataschema = "https://schemas.example/{event}"})
            ->render(payload, stored)
            .at(0);
    }
    static void expect_ours(const json::value& found) {
        const json::value& attributes = found.at("attributes");
        EXPECT_EQ(attributes.at("specversion").as_string(), "1.0");
        EXPECT_EQ(attributes.at("id").as_string(), "shop::order-o-1 \u20ac \"%\"-9.1");
        EXPECT_EQ(attributes.at("source").as_string(), "/shop/order");
        EXPECT_EQ(attributes.at("type").as_string(), "Shop.OrderShipped.v2");
        EXPECT_EQ(attributes.at("subject").as_string(), "o-1 \u20ac \"%\"");
        EXPECT_EQ(attributes.at("time").as_string(), "2026-11-23T07:56:25.613701+00:00");
        EXPECT_EQ(attributes.at("dataschema").as_string(), "https://schemas.example/OrderShipped");
        EXPECT_EQ(attributes.at("partitionkey").as_string(), "shop::order-o-1 \u20ac \"%\"");
        EXPECT_EQ(attributes.at("sequence").as_string(), "0000000009.0000000001");
        EXPECT_EQ(attributes.at("traceparent").as_string(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        EXPECT_EQ(attributes.at("correlationid").as_string(), "c-1");
        EXPECT_EQ(attributes.at("tenantid").as_string(), "acme");
        EXPECT_EQ(found.at("data").at("amount").as_double(), 1.1);
        EXPECT_EQ(found.at("data").at("note").as_string(), "\u20ac \"quoted\"");
    }
    static void expect_theirs(const message& read) {
        EXPECT_EQ(read.id(), "e-1");
        EXPECT_EQ(read.type().text(), "partner.parcel.sent");
        EXPECT_EQ(read.metadata().headers.stream, "p-1");
        EXPECT_EQ(read.correlation_id(), "c-9");
        EXPECT_EQ(read.metadata().extensions.at("subject").as_string(), "p-1 \u20ac \"%\"");
        EXPECT_EQ(read.metadata().extensions.at("colour").as_string(), "blue");
        EXPECT_TRUE(read.metadata().headers.time);
        EXPECT_EQ(read.data().at("note").as_string(), "\u20ac");
    }

    sluice::testing::temporary_directory directory_;
};

TEST_F(cloudevents_sdk, reads_our_structured_form) {
    expect_ours(peer("read structured " + file_with(rendered(message_form::cloudevents_structured).body)));
}

TEST_F(cloudevents_sdk, reads_our_binary_form_over_http) {
    const rendered_message message = rendered(message_form::cloudevents_binary);
    json::object headers{{"content-type", message.content_type}};
    for (const auto& [name, value] : message.head) headers.set(name, percent_encoded(value));
    expect_ours(peer("read binary " + file_with(message.body) + " " + shell_word(json::dump(headers))));
}

TEST_F(cloudevents_sdk, writes_a_structured_form_that_we_read) {
    expect_theirs(message::decode(peer("write structured").at("body").as_string()));
}

TEST_F(cloudevents_sdk, writes_a_binary_form_that_we_read) {
    const json::value made = peer("write binary");
    header_list head;
    for (const auto& [name, value] : made.at("headers").as_object()) {
        const auto text = percent_decoded(value.as_string());
        ASSERT_TRUE(text) << name;
        head.push_back({name, *text});
    }
    expect_theirs(external_format()->read(made.at("body").as_string(), head));
}

}  // namespace
}  // namespace sluice::envelope
