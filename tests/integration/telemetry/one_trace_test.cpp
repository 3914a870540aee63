#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>

#include <fmt/format.h>

#include "integration/cli_program.hpp"
#include "integration/telemetry/received.hpp"
#include "integration/telemetry/telemetry_section.hpp"
#include "support/eventually.hpp"
#include "support/http_endpoint.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

// Two services and a receiver: what the real program sends.
namespace sluice::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Pair;

constexpr const char* caller_trace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* caller_span = "b7ad6b7169203331";

constexpr const char* tiny_service = R"([databases.default]
provider = "sqlite"
database_uri = "sqlite:///tiny.db"
[brokers.default]
provider = "sqlite"
URI = "inner.db"
[brokers.partner]
provider = "sqlite"
URI = "../shared/events.db"
[brokers.elsewhere]
provider = "sqlite"
URI = "elsewhere.db"
[outbox]
external_brokers = ["partner"]
)";

constexpr const char* watcher_service = R"([databases.default]
provider = "sqlite"
database_uri = "sqlite:///watcher.db"
[brokers.default]
provider = "sqlite"
URI = "inner.db"
[brokers.counters]
provider = "sqlite"
URI = "../shared/events.db"
)";

class one_trace : public ::testing::Test {
protected:
    one_trace() {
        for (const char* each : {"shared", "tiny", "watcher"}) std::filesystem::create_directory(directory_ / each);
        configure("tiny", tiny_service);
        configure("watcher", watcher_service);
    }

    void configure(const std::string& service, const std::string& text) const {
        std::ofstream{directory_ / service / "domain.toml"} << text << telemetry_to(receiver_.port())
                                                            << "[telemetry.headers]\nx-api-key = \"k-1\"\n";
    }
    [[nodiscard]] program_settings settings(const std::string& service, const std::string& domain) const {
        return {.directory = directory_ / service, .environment = {{"SLUICE_DOMAIN", domain}}};
    }

    [[nodiscard]] std::optional<received_span> find(const std::string& service, const std::string& name) const {
        const auto all = spans_in(receiver_.requests());
        const auto found = std::ranges::find_if(
            all, [&](const received_span& each) { return each.service == service && each.name == name; });
        return found == all.end() ? std::nullopt : std::optional{*found};
    }
    /// The span of the name that is linked to another one: each lane has one.
    [[nodiscard]] std::optional<received_span> find_linked(const std::string& service, const std::string& name,
                                                           const std::string& to) const {
        const auto all = spans_in(receiver_.requests());
        const auto found = std::ranges::find_if(all, [&](const received_span& each) {
            return each.service == service && each.name == name &&
                   std::ranges::find(each.links, to) != each.links.end();
        });
        return found == all.end() ? std::nullopt : std::optional{*found};
    }
    [[nodiscard]] bool has_metric(const std::string& service, const std::string& name) const {
        return std::ranges::any_of(receiver_.requests(), [&](const http_request& each) {
            return each.target == "/v1/metrics" && each.body.find("\"" + service + "\"") != std::string::npos &&
                   each.body.find("\"" + name + "\"") != std::string::npos;
        });
    }

    [[nodiscard]] bool has_exemplar(const std::string& service, const std::string& name) const {
        return std::ranges::any_of(receiver_.requests(), [&](const http_request& each) {
            if (each.target != "/v1/metrics") return false;
            const json::value body = json::parse(each.body);
            const json::value& from = body.at("resourceMetrics").at(std::size_t{0});
            if (text_attributes(from.at("resource"))["service.name"] != service) return false;
            const auto& metrics = from.at("scopeMetrics").at(std::size_t{0}).at("metrics").as_array();
            return std::ranges::any_of(metrics, [&](const json::value& metric) {
                if (metric.at("name").as_string() != name) return false;
                const auto& points = metric.at("histogram").at("dataPoints").as_array();
                return std::ranges::any_of(points,
                                           [](const json::value& point) { return point.contains("exemplars"); });
            });
        });
    }

    /// The official definitions of the protocol read what was sent, and see the same spans.
    /// @param exemplars  that are among those of the metrics: metric, trace and span
    void expect_official_reading(const std::vector<std::string>& exemplars) {
        std::ifstream why_not{std::filesystem::path{PROTO_ENVIRONMENT} / "unavailable"};
        if (std::string why; std::getline(why_not, why)) {
            std::cout << why << '\n';
            return;
        }
        const auto requests = receiver_.requests();
        for (std::size_t i = 0; i < requests.size(); ++i) {
            const char* const kind = requests[i].target == "/v1/traces" ? "traces" : "metrics";
            std::ofstream{directory_ / fmt::format("{:04}.{}.json", i, kind)} << requests[i].body;
        }
        const json::value read =
            json::parse(run_command(fmt::format("{}/bin/python {} {}", shell_word(PROTO_ENVIRONMENT),
                                                shell_word(PROTO_PEER), shell_word(directory_.path().native()))));
        std::vector<std::string> theirs;
        for (const json::value& each : read.at("spans").as_array()) {
            theirs.push_back(each.string_or("service", "") + " " + each.string_or("trace", "") + " " +
                             each.string_or("id", "") + " " + each.string_or("parent", "") + " " +
                             each.string_or("name", "") + " " + each.string_or("kind", ""));
        }
        std::vector<std::string> ours;
        for (const received_span& each : spans_in(requests)) {
            static constexpr std::array kinds{"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"};
            ours.push_back(fmt::format("{} {} {} {} {} SPAN_KIND_{}", each.service, each.trace, each.id, each.parent,
                                       each.name, kinds.at(static_cast<std::size_t>(each.kind))));
        }
        EXPECT_EQ(theirs, ours);
        std::vector<std::string> metrics;
        for (const json::value& each : read.at("metrics").as_array()) metrics.push_back(each.as_string());
        EXPECT_THAT(metrics, IsSupersetOf({"sluice_outbox_published_total sum", "sluice_outbox_pending gauge",
                                           "sluice_handler_duration_seconds histogram"}));
        std::vector<std::string> traced;
        for (const json::value& each : read.at("exemplars").as_array()) traced.push_back(each.as_string());
        EXPECT_THAT(traced, IsSupersetOf(exemplars));
    }

    temporary_directory directory_;
    http_endpoint receiver_{[](const http_request&, const std::stop_token&) {
        return reply_with(200, "Content-Type: application/json\r\n", "{}");
    }};
};

TEST_F(one_trace, runs_from_the_caller_through_a_service_and_a_broker_to_the_command_of_another_service) {
    const auto tiny = settings("tiny", TINY_DOMAIN);
    running_program second{{"server"}, settings("watcher", WATCHER_DOMAIN)};
    const program_result made = run_sluice({"process", "CreateCounter", R"({"counter_id":"c-1"})", "--traceparent",
                                            fmt::format("00-{}-{}-01", caller_trace, caller_span)},
                                           tiny);
    ASSERT_EQ(made.code, 0) << made.err;
    running_program first{{"server"}, tiny};
    const bool has_come = eventually(
        [&] {
            return find("watcher", "command TakeNote") && find("tiny", "publish batch default:partner") &&
                   has_metric("tiny", "sluice_outbox_published_total") &&
                   has_metric("watcher", "sluice_handler_duration_seconds") &&
                   has_exemplar("tiny", "sluice_outbox_latency_seconds") &&
                   has_exemplar("watcher", "sluice_handler_duration_seconds");
        },
        std::chrono::seconds{40});
    for (const running_program* each : {&first, &second}) each->signal(SIGTERM);
    const program_result end_of_first = first.finish();
    const program_result end_of_second = second.finish();
    EXPECT_EQ(end_of_first.code, 0);
    EXPECT_EQ(end_of_second.code, 0);
    ASSERT_TRUE(has_come) << end_of_first.err << end_of_second.err;

    const auto command = find("tiny", "command CreateCounter");
    const auto created = find("tiny", "create tiny::counter");
    const auto committed = find("tiny", "commit default");
    const auto unit = find("tiny", "unit of work");
    const auto batch = find("tiny", "publish batch default:partner");
    const auto published = find_linked("tiny", "publish tiny::counter", batch ? batch->id : "");
    const auto received = find("watcher", "receive tiny::counter");
    const auto handled = find("watcher", "process tiny::counter");
    const auto noted = find("watcher", "command TakeNote");
    for (const auto* each : {&command, &created, &committed, &unit, &published, &batch, &received, &handled, &noted}) {
        ASSERT_TRUE(*each);
    }
    for (const auto* each : {&command, &created, &committed, &unit, &published, &handled, &noted}) {
        EXPECT_EQ((*each)->trace, caller_trace) << (*each)->name;
    }
    EXPECT_EQ(command->parent, caller_span);
    EXPECT_EQ(unit->parent, command->id);
    EXPECT_EQ(committed->parent, unit->id);
    EXPECT_EQ(created->parent, command->id);
    EXPECT_EQ(published->parent, created->id);
    EXPECT_EQ(handled->parent, created->id);
    EXPECT_EQ(noted->parent, handled->id);
    // Batches and looks for messages have traces of their own.
    EXPECT_NE(batch->trace, caller_trace);
    EXPECT_THAT(batch->links, Contains(created->id));
    EXPECT_THAT(published->links, Contains(batch->id));
    EXPECT_THAT(received->links, Contains(created->id));

    EXPECT_THAT(
        published->attributes,
        IsSupersetOf({Pair("messaging.system", "sqlite"), Pair("messaging.operation.name", "publish"),
                      Pair("messaging.operation.type", "send"), Pair("messaging.destination.name", "tiny::counter"),
                      Pair("messaging.message.id", "tiny::counter-c-1-0.1")}));
    EXPECT_THAT(handled->attributes, IsSupersetOf({Pair("messaging.operation.type", "process"),
                                                   Pair("messaging.message.id", "tiny::counter-c-1-0.1"),
                                                   Pair("messaging.consumer.group.name", "watcher.counter_events")}));
    EXPECT_THAT(receiver_.requests().front().headers,
                IsSupersetOf({Pair("x-api-key", "k-1"), Pair("content-type", "application/json")}));
    expect_official_reading({fmt::format("sluice_outbox_latency_seconds {} {}", caller_trace, created->id),
                             fmt::format("sluice_handler_duration_seconds {} {}", caller_trace, handled->id)});
}

}  // namespace
}  // namespace sluice::testing
