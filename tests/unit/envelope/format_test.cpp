#include "envelope/format.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "envelope/envelope.hpp"

namespace sluice::envelope {
namespace {

/// As a commit stores it.
std::string stored_metadata() {
    message_metadata metadata;
    metadata.headers = {.id = "shop::order-o-1-9.1",
                        .time = date_time::parse("2026-11-23T07:56:25.613701Z"),
                        .type = "Shop.OrderShipped.v2",
                        .stream = "shop::order-o-1"};
    metadata.domain.stream_category = "shop::order";
    metadata.domain.version = 2;
    metadata.domain.sequence_id = "9.1";
    metadata.extensions =
        json::parse(R"({"tenant_id":"acme","_also_published":{"1":{"a":[{"b":0},{"b":0}]}}})").as_object();
    return encode_metadata(metadata);
}

TEST(format, knows_a_size_that_no_body_exceeds) {
    using enum message_form;
    const std::string stored = stored_metadata();
    const std::vector<partner_terms> terms{{},
                                           {.redact = {"a.b"}},
                                           {.redact = {"a.b"}, .redact_with = std::string(200, '\x1f')},
                                           {.form = cloudevents_structured},
                                           {.form = cloudevents_structured,
                                            .redact = {"a.b"},
                                            .redact_with = "long",
                                            .source = std::string(300, '"'),
                                            .dataschema = "{type}{type}{type}{stream_category}{stream_category}"},
                                           {.form = cloudevents_binary, .with_headers = true}};
    for (const std::string data : {R"({})", R"({"a":[{"b":0},{"b":0},{"b":0},{"b":0}],"x":2.0})"}) {
        for (std::size_t i = 0; i < terms.size(); ++i) {
            const auto form = external_format(terms[i]);
            for (const auto& each : form->render(data, stored)) {
                EXPECT_LE(each.body.size(), form->most_bytes(data.size(), stored.size())) << i << data;
            }
        }
        EXPECT_LE(internal_format()->render(data, stored).at(0).body.size(),
                  internal_format()->most_bytes(data.size(), stored.size()));
    }
}

TEST(format, expects_more_of_forms_that_add_something) {
    const std::size_t plain = external_format()->most_bytes(100, 100);
    EXPECT_LT(plain, 300U) << "an ordinary event is not rendered only to be measured";
    EXPECT_GT(external_format({.form = message_form::cloudevents_structured})->most_bytes(100, 100), plain);
    EXPECT_GT(external_format({.redact = {"a"}, .redact_with = "x"})->most_bytes(100, 100), plain);
    EXPECT_EQ(external_format({.redact = {"a"}})->most_bytes(100, 100), plain);
}

}  // namespace
}  // namespace sluice::envelope
