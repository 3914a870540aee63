#include "config/telemetry_section.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "config/loader.hpp"
#include "unit/config/configured.hpp"

namespace sluice::config {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using variables = std::map<std::string, std::string>;

const std::string beginning = R"([databases.default]
provider = "memory"
[brokers.default]
provider = "inline"
[telemetry]
)";
const std::string enabled = beginning + "enabled = true\n";

explained_configuration explained(const std::string& text, const variables& environment) {
    static const providers available = build_with({"memory"}, {"inline"});
    const auto lookup = [&](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        return found == environment.end() ? std::nullopt : std::optional{found->second};
    };
    return explain_text(text, "/srv/shop/domain.toml", available, lookup);
}

telemetry_settings read(const std::string& text, const variables& environment = {}) {
    return explained(text, environment).values.telemetry;
}

std::vector<std::string> problems_of(const std::string& text, const variables& environment = {}) {
    try {
        static_cast<void>(explained(text, environment));
    } catch (const invalid_configuration& e) {
        std::vector<std::string> texts;
        for (const problem& found : e.problems()) texts.push_back(to_text("f", found));
        return texts;
    }
    return {};
}

TEST(telemetry_section, is_off_unless_it_is_enabled) {
    EXPECT_FALSE(read(beginning).enabled);
    EXPECT_FALSE(read(beginning, {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1"}}).enabled);
    EXPECT_TRUE(read(enabled).enabled);
}

TEST(telemetry_section, reads_headers_and_files) {
    const auto found = read(enabled + R"(tls_ca_file = "ca.pem"
[telemetry.headers]
Authorization = "Bearer t"
[telemetry.resource]
"deployment.environment.name" = "test"
)");
    EXPECT_EQ(found.tls_ca_file, "/srv/shop/ca.pem");
    EXPECT_THAT(found.headers, ElementsAre(Pair("Authorization", "Bearer t")));
    EXPECT_THAT(found.resource, ElementsAre(Pair("deployment.environment.name", "test")));
}

TEST(telemetry_section, never_shows_the_value_of_a_header) {
    const std::string text = enabled + "[telemetry.headers]\nx-tenant = \"s3cr3t\"\n";
    for (const auto& each : explained(text, {}).settings) {
        const auto* const shown = std::get_if<std::string>(&each.value);
        EXPECT_THAT(shown == nullptr ? std::string{} : *shown, Not(HasSubstr("s3cr3t")));
    }
    EXPECT_THAT(problems_of(enabled + "[telemetry.headers]\n\"x y\" = \"s3cr3t\"\nHost = \"s3cr3t\"\n"),
                UnorderedElementsAre(AllOf(HasSubstr("is no name of an HTTP header"), Not(HasSubstr("s3cr3t"))),
                                     AllOf(HasSubstr("is set by Sluice itself"), Not(HasSubstr("s3cr3t")))));
}

TEST(telemetry_section, wants_an_endpoint_that_can_be_one) {
    for (const char* wrong : {"collector:4318", "grpc://c:4317", "http://", "http:///v1", "http://u:p@c:4318",
                              "http://c:4318/?key=1", "http://a b"}) {
        EXPECT_THAT(problems_of(enabled + "endpoint = \"" + wrong + "\"\n"),
                    Contains(AllOf(HasSubstr("telemetry.endpoint"), HasSubstr("http://collector:4318"))))
            << wrong;
    }
    EXPECT_THAT(problems_of(enabled + "endpoint = \"https://otlp.example:443/tenant/a\"\n"), IsEmpty());
}

TEST(telemetry_section, refuses_a_ratio_that_nothing_uses) {
    EXPECT_THAT(problems_of(enabled + "sampling_ratio = 0.1\n"),
                ElementsAre(AllOf(HasSubstr("sampling_ratio = 0.1"), HasSubstr("parentbased_traceidratio"))));
    EXPECT_EQ(read(enabled + "sampler = \"traceidratio\"\nsampling_ratio = 0.1\n").sampling_ratio, 0.1);
    EXPECT_THAT(problems_of(enabled + "sampler = \"parentbased_traceidratio\"\nsampling_ratio = 1.5\n"),
                ElementsAre(HasSubstr("must be a number from 0 to 1")));
    EXPECT_THAT(problems_of(enabled + "sampler = \"always\"\n"), ElementsAre(HasSubstr("is not one of the choices")));
}

TEST(telemetry_section, refuses_a_batch_that_the_queue_cannot_hold) {
    EXPECT_THAT(problems_of(enabled + "max_queued_spans = 100\n"), ElementsAre(HasSubstr("max_batch_spans")));
}

TEST(telemetry_section, variables_of_opentelemetry_stand_in_for_keys) {
    const auto found = read(enabled, {{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4318"},
                                      {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20t, x-a=1"},
                                      {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"},
                                      {"OTEL_SERVICE_NAME", "orders"},
                                      {"OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,team=a%2Cb"},
                                      {"OTEL_TRACES_SAMPLER", "parentbased_traceidratio"},
                                      {"OTEL_TRACES_SAMPLER_ARG", "0.25"},
                                      {"OTEL_BSP_SCHEDULE_DELAY", "1000"},
                                      {"OTEL_BSP_MAX_QUEUE_SIZE", "4096"},
                                      {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "256"},
                                      {"OTEL_METRIC_EXPORT_INTERVAL", "15000"},
                                      {"OTEL_METRICS_EXPORTER", "none"},
                                      {"OTEL_TRACES_EXPORTER", "otlp"},
                                      {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ca.pem"}});
    EXPECT_EQ(found.endpoint, "https://c:4318");
    EXPECT_THAT(found.headers, ElementsAre(Pair("authorization", "Bearer t"), Pair("x-a", "1")));
    EXPECT_EQ(found.timeout_seconds, 2.5);
    EXPECT_EQ(found.service_name, "orders");
    EXPECT_THAT(found.resource, ElementsAre(Pair("deployment.environment.name", "test"), Pair("team", "a,b")));
    EXPECT_EQ(found.sampler, "parentbased_traceidratio");
    EXPECT_EQ(found.sampling_ratio, 0.25);
    EXPECT_EQ(found.delay_seconds, 1);
    EXPECT_EQ(found.max_queued_spans, 4096U);
    EXPECT_EQ(found.max_batch_spans, 256U);
    EXPECT_EQ(found.metrics_interval_seconds, 15);
    EXPECT_FALSE(found.metrics);
    EXPECT_TRUE(found.traces);
    EXPECT_EQ(found.tls_ca_file, "/etc/ca.pem");
}

TEST(telemetry_section, the_file_wins_over_variables_and_an_empty_one_is_none) {
    EXPECT_EQ(
        read(enabled + "endpoint = \"http://file:4318\"\n", {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://v:1"}}).endpoint,
        "http://file:4318");
    EXPECT_EQ(read(enabled, {{"OTEL_EXPORTER_OTLP_ENDPOINT", ""}}).endpoint, "http://localhost:4318");
    EXPECT_FALSE(read(enabled, {{"OTEL_SDK_DISABLED", "true"}}).enabled);
}

TEST(telemetry_section, tells_which_variable_sets_a_key) {
    const auto settings = explained(enabled, {{"OTEL_SERVICE_NAME", "orders"}}).settings;
    const auto found = std::ranges::find(settings, "telemetry.service_name", &effective_setting::path);
    ASSERT_NE(found, settings.end());
    EXPECT_THAT(found->variables, ElementsAre(used_variable{.name = "OTEL_SERVICE_NAME", .is_set = true}));
}

TEST(telemetry_section, tells_which_variable_is_wrong_and_never_its_secret) {
    EXPECT_THAT(problems_of(enabled, {{"OTEL_BSP_SCHEDULE_DELAY", "soon"}}),
                ElementsAre(AllOf(HasSubstr("telemetry.delay_seconds"), HasSubstr("OTEL_BSP_SCHEDULE_DELAY"))));
    EXPECT_THAT(problems_of(enabled, {{"OTEL_BSP_MAX_QUEUE_SIZE", "-1"}}),
                Contains(AllOf(HasSubstr("telemetry.max_queued_spans"), HasSubstr("OTEL_BSP_MAX_QUEUE_SIZE"))));
    EXPECT_THAT(problems_of(enabled, {{"OTEL_EXPORTER_OTLP_HEADERS", "s3cr3t%zz"}}),
                ElementsAre(AllOf(HasSubstr("OTEL_EXPORTER_OTLP_HEADERS"), Not(HasSubstr("s3cr3t")))));
    EXPECT_THAT(problems_of(enabled, {{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}}),
                ElementsAre(AllOf(HasSubstr("asks for grpc"), HasSubstr("4318"))));
    EXPECT_THAT(problems_of(enabled, {{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"}}), IsEmpty());
}

}  // namespace
}  // namespace sluice::config
