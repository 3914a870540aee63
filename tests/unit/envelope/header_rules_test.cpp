#include "envelope/header_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::envelope {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

message with(const std::string& headers, const std::string& domain = {}, const std::string& extensions = {}) {
    return message::decode(R"({"data":{},"metadata":{"headers":{)" + headers + R"(},"domain":{)" + domain +
                           R"(},"extensions":{)" + extensions + "}}}");
}

std::string member(const std::string& key, const std::string& value) { return '"' + key + R"(":")" + value + '"'; }

TEST(header_rules, let_pass_what_every_store_keeps) {
    EXPECT_THAT(header_problem(with("")), IsEmpty()) << "headers may be missing";
    std::string identity;
    for (int i = 0; i < 255; ++i) identity += "\U0001f600";
    EXPECT_THAT(header_problem(with(member("id", "shop::order-" + identity + "-12.1"),
                                    member("correlation_id", identity), member("tenant", "acme"))),
                IsEmpty())
        << "the longest identity";
}

TEST(header_rules, bound_ids_and_names_of_streams) {
    const std::string longest(longest_name_bytes, 'x');
    for (const char* key : {"id", "stream", "type"}) {
        EXPECT_THAT(header_problem(with(member(key, longest))), IsEmpty());
        EXPECT_THAT(
            header_problem(with(member(key, longest + 'x'))),
            AllOf(HasSubstr(std::string{"headers."} + key), HasSubstr("1501 bytes"), HasSubstr("at most 1500")));
    }
    for (const char* key : {"causation_id", "origin_stream", "stream_category"}) {
        EXPECT_THAT(header_problem(with("", member(key, longest + 'x'))), HasSubstr(std::string{"domain."} + key));
    }
    EXPECT_THAT(header_problem(with("", member("correlation_id", std::string(256, 'x')))),
                AllOf(HasSubstr("domain.correlation_id has 256 characters"), HasSubstr("at most 255")));
}

TEST(header_rules, refuse_u0000_by_field) {
    EXPECT_THAT(header_problem(with(member("id", "m\\u0000"))), HasSubstr("headers.id must not contain"));
    EXPECT_THAT(header_problem(with("", member("correlation_id", "\\u0000"))), HasSubstr("domain.correlation_id must"));
    EXPECT_THAT(header_problem(with("", "", member("tenant", "\\u0000"))), HasSubstr("extensions.tenant must"));
    EXPECT_THAT(header_problem(with(member("id", "\\u0000") + "," + member("stream", "\\u0000"))),
                AllOf(HasSubstr("headers.id"), HasSubstr("; headers.stream")));
}

}  // namespace
}  // namespace sluice::envelope
