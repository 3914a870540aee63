#include "envelope/stored_form.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "envelope/envelope.hpp"

namespace sluice::envelope {
namespace {

message_metadata usual() {
    message_metadata metadata;
    metadata.headers.id = "shop::order-o-1-0.1";
    metadata.headers.time = date_time::parse("2026-11-23T07:56:25.613701+00:00");
    metadata.headers.type = "Shop.OrderShipped.v2";
    metadata.headers.stream = "shop::order-o-1";
    metadata.checksum = "abc";
    metadata.domain.fqn = "shop.OrderShipped";
    metadata.domain.stream_category = "shop::order";
    metadata.domain.version = 2;
    metadata.domain.sequence_id = "0.1";
    return metadata;
}

message_metadata with_everything() {
    message_metadata metadata = usual();
    metadata.headers.traceparent = trace_parent{std::string(32, 'a'), std::string(16, 'b'), true};
    metadata.headers.idempotency_key = "key";
    metadata.headers.deadline = "2026-11-23T08:00:00+00:00";
    metadata.domain.kind = message_kind::command;
    metadata.domain.origin_stream = "shop::basket-b-1";
    metadata.domain.expected_version = -1;
    metadata.domain.priority = -50;
    metadata.domain.correlation_id = "c-1";
    metadata.domain.causation_id = "";
    return metadata;
}

/// What partners get is the same in both ways.
void expect_same(const std::string& stored) {
    const std::string decoded = render_external(R"({"a":1})", stored);
    EXPECT_EQ(render_for_partner(R"({"a":1})", stored, {}).front().body, decoded) << stored;
}

TEST(stored_form, is_found_in_what_a_commit_writes) {
    const std::string stored = encode_metadata(with_everything());
    const auto found = read_stored_form(stored);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, "shop::order-o-1-0.1");
    EXPECT_EQ(found->type, "Shop.OrderShipped.v2");
    EXPECT_EQ(found->time, "2026-11-23T07:56:25.613701+00:00");
    EXPECT_EQ(found->trace_id, std::string(32, 'a'));
    EXPECT_TRUE(found->sampled);
    EXPECT_EQ(found->correlation_id, "c-1");
    EXPECT_EQ(found->extensions, "{}");
    EXPECT_EQ(found->origin.find("priority"), std::string_view::npos);
    EXPECT_EQ(found->headers.find("idempotency_key"), std::string_view::npos);
    expect_same(stored);
    EXPECT_TRUE(read_stored_form(encode_metadata(usual())));
    expect_same(encode_metadata(usual()));
}

TEST(stored_form, is_found_with_each_time_that_a_commit_writes) {
    for (const char* time : {"0001-01-01T00:00:00+00:00", "2024-02-29T23:59:59.000001+00:00",
                             "2026-11-23T07:56:25+00:00", "9999-12-31T23:59:59.999999+00:00"}) {
        auto metadata = usual();
        metadata.headers.time = date_time::parse(time);
        const std::string stored = encode_metadata(metadata);
        EXPECT_TRUE(read_stored_form(stored)) << time;
        expect_same(stored);
    }
}

TEST(stored_form, leaves_extensions_to_the_rules_about_them) {
    auto metadata = usual();
    metadata.extensions = {{"tenant", "acme"}, {"_private", "SECRET"}, {"note", "\"ü\""}};
    const std::string stored = encode_metadata(metadata);
    ASSERT_TRUE(read_stored_form(stored));
    expect_same(stored);
    const auto rendered = render_for_partner("{}", stored, {.extensions = extension_list{{"note"}}}).front().body;
    EXPECT_EQ(rendered, render_external("{}", stored, extension_list{{"note"}}));
    EXPECT_EQ(rendered.find("acme"), std::string::npos);
}

TEST(stored_form, puts_the_same_headers_beside) {
    for (const auto& metadata : {usual(), with_everything()}) {
        const std::string stored = encode_metadata(metadata);
        // A blank is enough to have it decoded.
        const auto decoded = render_for_partner("{}", " " + stored, {.with_headers = true}).front();
        const auto spliced = render_for_partner("{}", stored, {.with_headers = true}).front();
        EXPECT_EQ(spliced.body, decoded.body);
        ASSERT_EQ(spliced.head.size(), decoded.head.size());
        for (std::size_t i = 0; i < spliced.head.size(); ++i) {
            EXPECT_EQ(spliced.head[i].name, decoded.head[i].name);
            EXPECT_EQ(spliced.head[i].value, decoded.head[i].value);
        }
    }
}

TEST(stored_form, is_not_seen_in_anything_else) {
    const std::string stored = encode_metadata(with_everything());
    const auto changed = [&stored](std::string_view what, std::string_view to) {
        std::string other = stored;
        const auto at = other.find(what);
        EXPECT_NE(at, std::string::npos) << what;
        return other.replace(at, what.size(), to);
    };
    const std::vector<std::string> others{
        "",
        "{}",
        " " + stored,
        stored + " ",
        stored.substr(0, stored.size() - 1),
        changed(R"("idempotency_key":)", R"("SECRET":"SECRET","idempotency_key":)"),
        changed(R"("type":)", R"("SECRET":"SECRET","type":)"),
        changed(R"("fqn":)", R"("SECRET":"SECRET","fqn":)"),
        changed(R"("sampled":true)", R"("sampled":true,"state":"SECRET")"),
        changed(R"("event_store":null)", R"("event_store":{"position":"SECRET"})"),
        changed("o-1", "\xC3\xBC"),
        changed("o-1", R"(\u0041)"),
        changed("2026-11-23T07:56:25.613701+00:00", "2026-11-23T08:56:25.613701+01:00"),
        changed("2026-11-23T07:56:25.613701+00:00", "2026-13-23T07:56:25.613701+00:00"),
        changed("2026-11-23T07:56:25.613701+00:00", "2026-02-29T07:56:25.613701+00:00"),
        changed("2026-11-23T07:56:25.613701+00:00", "2026-11-23T24:56:25.613701+00:00"),
        changed("2026-11-23T07:56:25.613701+00:00", "2026-11-23T07:56:25.613+00:00"),
        changed("2026-11-23T07:56:25.613701+00:00", "2026-11-23T07:56:25.000000+00:00"),
        changed("2026-11-23T07:56:25.613701+00:00", "2026-11-23T07:56:25.613701Z"),
        changed("2026-11-23T07:56:25.613701+00:00", "2026-11-23 07:56:25.613701+00:00"),
        changed(R"("time":")", R"("time":null,"timestamp":")"),
        changed("aaaaaaaa", "AAAAAAAA"),
        changed(std::string(32, 'a'), std::string(32, '0')),
        changed(R"("version":2)", R"("version":02)"),
        changed(R"("version":2)", R"("version":0)"),
        changed(R"("version":2)", R"("version":"2")"),
        changed(R"("version":2)", R"("version":3000000000)"),
        changed(R"("kind":"COMMAND")", R"("kind":"OTHER")"),
        changed(R"("priority":-50)", R"("priority":-5e1)"),
        changed(R"("priority":-50)", R"("priority":-0)"),
    };
    for (const std::string& other : others) {
        EXPECT_FALSE(read_stored_form(other)) << other;
        const std::string rendered = [&other] {
            try {
                return render_for_partner("{}", other, {}).front().body;
            } catch (const error& e) {
                return std::string{e.what()};
            }
        }();
        EXPECT_EQ(rendered.find("SECRET"), std::string::npos) << other;
    }
}

}  // namespace
}  // namespace sluice::envelope
