#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "integration/http/service.hpp"
#include "integration/telemetry/received.hpp"
#include "support/http_endpoint.hpp"
#include "support/shell.hpp"

// From a bucket of /metrics to the spans that a receiver was sent.
namespace sluice::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::Pair;

/// What Prometheus 2.42 sends.
constexpr const char* accept_of_prometheus =
    "Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n";

struct shown_exemplar {
    std::string metric{};
    std::string trace{};
    std::string span{};
};

class exemplars : public tiny_service {
protected:
    /// @param more  lines of `[telemetry]`
    void record(const std::string& more) const {
        configure_server(
            fmt::format("[telemetry]\nenabled = true\nendpoint = \"http://127.0.0.1:{}\"\n"
                        "delay_seconds = 0.05\nmetrics = false\nshutdown_seconds = 30\n{}",
                        receiver_.port(), more));
    }
    void start(const std::vector<std::string>& arguments = {"server"}) {
        server_.emplace(arguments, settings());
        ASSERT_TRUE(soon([&] { return get("/readyz").status == 200; })) << get("/readyz").body;
    }
    void stop() {
        server_->signal(SIGTERM);
        EXPECT_EQ(server_->finish().code, 0);
    }
    [[nodiscard]] http_response scrape() const { return http_get(port_, "/metrics", "GET", accept_of_prometheus); }

    [[nodiscard]] static std::vector<shown_exemplar> exemplars_in(const std::string& text) {
        const std::regex line{
            R"re((sluice_[a-z_]+)_bucket\{[^}]*\} [0-9]+ # \{trace_id="([0-9a-f]{32})",span_id="([0-9a-f]{16})"\} [0-9.e-]+ [0-9]+\.[0-9]{6}\n)re"};
        std::vector<shown_exemplar> all;
        for (std::sregex_iterator at{text.begin(), text.end(), line}, end; at != end; ++at) {
            all.push_back({(*at)[1], (*at)[2], (*at)[3]});
        }
        return all;
    }
    [[nodiscard]] static bool has_both_histograms(const std::vector<shown_exemplar>& all) {
        std::set<std::string> metrics;
        for (const shown_exemplar& each : all) metrics.insert(each.metric);
        return metrics == std::set<std::string>{"sluice_handler_duration_seconds", "sluice_outbox_latency_seconds"};
    }

    /// The parser of others reads the text, and finds the same exemplars.
    /// @returns the types of the metrics; nothing where the parser is not there
    [[nodiscard]] std::optional<std::map<std::string, std::string>> official_types(const std::string& text) const {
        std::ifstream why_not{std::filesystem::path{OPENMETRICS_ENVIRONMENT} / "unavailable"};
        if (std::string why; std::getline(why_not, why)) {
            std::cout << why << '\n';
            return std::nullopt;
        }
        const auto file = directory_ / "metrics.txt";
        std::ofstream{file} << text;
        const json::value read =
            json::parse(run_command(fmt::format("{}/bin/python {} <{}", shell_word(OPENMETRICS_ENVIRONMENT),
                                                shell_word(OPENMETRICS_PEER), shell_word(file.native()))));
        std::vector<std::string> theirs;
        for (const json::value& each : read.at("exemplars").as_array()) {
            theirs.push_back(each.string_or("metric", "") + " " + each.string_or("trace", "") + " " +
                             each.string_or("span", ""));
        }
        std::vector<std::string> ours;
        for (const shown_exemplar& each : exemplars_in(text)) {
            ours.push_back(each.metric + " " + each.trace + " " + each.span);
        }
        EXPECT_EQ(theirs, ours);
        std::map<std::string, std::string> types;
        for (const auto& [metric, type] : read.at("types").as_object()) types.emplace(metric, type.as_string());
        return types;
    }

    http_endpoint receiver_{[](const http_request&, const std::stop_token&) {
        return reply_with(200, "Content-Type: application/json\r\n", "{}");
    }};
    std::optional<running_program> server_;
};

TEST_F(exemplars, lead_from_a_bucket_to_the_spans_of_an_event) {
    record("");
    start();
    create_counter("c-1");
    ASSERT_TRUE(soon([&] { return has_both_histograms(exemplars_in(scrape().body)); })) << scrape().body;
    const http_response answer = scrape();
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
    const auto is_received = [&](const shown_exemplar& exemplar) {
        return std::ranges::any_of(spans_in(receiver_.requests()), [&](const received_span& each) {
            return each.trace == exemplar.trace && each.id == exemplar.span;
        });
    };
    for (const shown_exemplar& each : exemplars_in(answer.body)) {
        EXPECT_TRUE(soon([&] { return is_received(each); })) << each.metric << " " << each.trace << " " << each.span;
    }
    if (const auto types = official_types(answer.body)) {
        EXPECT_THAT(*types, IsSupersetOf({Pair("sluice_outbox_published", "counter"), Pair("sluice_up", "gauge"),
                                          Pair("sluice_build_info", "gauge"), Pair("sluice_outbox_failed", "gauge"),
                                          Pair("sluice_outbox_failed_total", "unknown"),
                                          Pair("sluice_outbox_latency_seconds", "histogram")}));
    }
    const http_response without = get("/metrics");
    EXPECT_THAT(without.head, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    EXPECT_THAT(without.body, AllOf(HasSubstr("sluice_outbox_latency_seconds_bucket"), Not(HasSubstr("trace_id"))));
    stop();
}

TEST_F(exemplars, are_not_there_while_no_trace_is_sampled) {
    record("sampler = \"always_off\"\n");
    start();
    create_counter("c-1");
    const auto counted = [&] {
        const std::regex any{"sluice_handler_duration_seconds_count\\{[^}]*\\} [1-9]"};
        const std::string text = scrape().body;
        return std::regex_search(text, any);
    };
    ASSERT_TRUE(soon(counted)) << scrape().body;
    EXPECT_THAT(scrape().body, Not(HasSubstr("trace_id")));
    stop();
}

TEST_F(exemplars, the_parent_of_workers_speaks_openmetrics_too) {
    start({"server", "--workers", "1"});
    const http_response answer = scrape();
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
    EXPECT_THAT(answer.body, HasSubstr("sluice_worker_up{worker=\"1\"} 1\n"));
    if (const auto types = official_types(answer.body)) {
        EXPECT_THAT(*types,
                    IsSupersetOf({Pair("sluice_worker_restarts", "counter"), Pair("sluice_worker_up", "gauge")}));
    }
    EXPECT_THAT(get("/metrics").head, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    stop();
}

}  // namespace
}  // namespace sluice::testing
