#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "integration/http/service.hpp"

// `sluice server` as its surroundings see it.
namespace sluice::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class probes : public tiny_service {
protected:
    void start() {
        server_.emplace(std::vector<std::string>{"server"}, settings());
        ASSERT_TRUE(server_->wait_for_text("server.ready"));
        ASSERT_TRUE(soon([&] { return get("/readyz").status == 200; })) << get("/readyz").body;
    }
    [[nodiscard]] program_result stop() {
        server_->signal(SIGTERM);
        return server_->finish();
    }
    /// The names of all metrics in a text, without the endings of a histogram's parts.
    [[nodiscard]] static std::set<std::string> names_in(const std::string& text) {
        const std::regex name{"sluice_[a-z_]*[a-z]"};
        std::set<std::string> names;
        for (std::sregex_iterator at{text.begin(), text.end(), name}, end; at != end; ++at) {
            std::string found = at->str();
            for (const std::string ending : {"_bucket", "_count", "_sum"}) {
                const auto kept = found.size() - std::min(ending.size(), found.size());
                if (found.ends_with(ending) && found.find("_seconds") != std::string::npos) found.resize(kept);
            }
            names.insert(found);
        }
        return names;
    }

    std::optional<running_program> server_;
};

TEST_F(probes, a_running_service_is_alive_and_ready) {
    start();
    EXPECT_EQ(get("/healthz").status, 200);
    const auto checks = [&] { return get("/readyz").json().at("checks"); };
    EXPECT_EQ(checks().at("providers").at("default").as_string(), "ok");
    // A partner does not decide whether the service is ready, so its first answer may come later.
    EXPECT_TRUE(soon([&] { return checks().at("brokers").at("partner").as_string() == "ok"; }));
    EXPECT_EQ(get("/readyz").json().at("status").as_string(), "ok");
    const program_result result = stop();
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.err, HasSubstr("health.listening address=127.0.0.1:" + std::to_string(port_)));
}

TEST_F(probes, a_partner_that_is_down_leaves_the_service_ready) {
    start();
    std::filesystem::remove_all(directory_ / "partner");
    create_counter("c-1");
    ASSERT_TRUE(soon(
        [&] { return get("/readyz").json().at("checks").at("brokers").at("partner").as_string() == "unavailable"; }));
    EXPECT_EQ(get("/readyz").status, 200);
    ASSERT_TRUE(soon([&] {
        return get("/metrics")
                   .body.find(R"(sluice_lane_state{domain="tiny",database="default",broker="partner",)"
                              R"(external="true",state="paused"} 1)") != std::string::npos;
    }));
    EXPECT_EQ(stop().code, 0);
}

TEST_F(probes, an_internal_broker_that_is_gone_takes_the_service_out_of_rotation) {
    start();
    std::filesystem::rename(directory_ / "default.db", directory_ / "away.db");
    ASSERT_TRUE(soon([&] { return get("/readyz").status == 503; }));
    EXPECT_EQ(get("/readyz").json().at("status").as_string(), "degraded");
    EXPECT_EQ(get("/healthz").status, 200);
    std::filesystem::rename(directory_ / "away.db", directory_ / "default.db");
    EXPECT_TRUE(soon([&] { return get("/readyz").status == 200; }));
    EXPECT_EQ(stop().code, 0);
}

TEST_F(probes, a_database_that_is_gone_takes_the_service_out_of_rotation) {
    start();
    for (const char* file : {"tiny.db", "tiny.db-wal", "tiny.db-shm"}) std::filesystem::remove(directory_ / file);
    ASSERT_TRUE(soon([&] { return get("/readyz").status == 503; }));
    EXPECT_EQ(get("/readyz").json().at("checks").at("providers").at("default").as_string(), "unavailable");
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(probes, a_draining_service_is_not_ready_until_its_end_but_alive) {
    configure_server("health.drain_delay_seconds = 3\n");
    start();
    server_->signal(SIGTERM);
    ASSERT_TRUE(soon([&] { return get("/readyz").status == 503; }));
    EXPECT_EQ(get("/readyz").body, R"({"status": "unavailable", "checks": {"shutting_down": true}})");
    EXPECT_EQ(get("/healthz").status, 200);
    int answers = 0;
    while (true) {
        const int status = get("/readyz").status;
        if (status == 0) break;  // it has ended
        ASSERT_EQ(status, 503);
        ++answers;
    }
    EXPECT_GT(answers, 0);
    const program_result result = server_->finish();
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.err, HasSubstr("engine.stopped in_time=yes"));
}

TEST_F(probes, metrics_are_those_of_the_documentation) {
    configure_server("[outbox.lanes.partner]\nshards = 2\n");
    start();
    create_counter("c-1");
    ASSERT_TRUE(soon([&] {
        return get("/metrics")
                   .body.find(R"(sluice_outbox_published_total{broker="partner",database="default",)"
                              R"(domain="tiny",external="true"} 1)") != std::string::npos;
    }));
    // Groups are asked for after the brokers.
    ASSERT_TRUE(soon([&] { return get("/metrics").body.find("sluice_subscription_lag") != std::string::npos; }));
    const http_response answer = get("/metrics");
    EXPECT_THAT(answer.head, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));

    const std::regex line{
        R"re((# (HELP|TYPE) sluice_[a-z_]+ .+)|(sluice_[a-z_]+(\{([a-z]+="([^"\\]|\\["\\n])*",?)+\})? [-+0-9.eInf]+))re"};
    std::istringstream lines{answer.body};
    for (std::string each; std::getline(lines, each);) EXPECT_TRUE(std::regex_match(each, line)) << each;

    std::ostringstream document;
    document << std::ifstream{SLUICE_SOURCE_DIR "/docs/observability.md"}.rdbuf();
    std::set<std::string> told = names_in(answer.body);
    told.insert({"sluice_worker_up", "sluice_worker_restarts_total"});           // of a parent of workers
    told.insert({"sluice_spans_exported_total", "sluice_spans_dropped_total"});  // of one that sends spans
    told.insert({"sluice_audit_timestamp_seconds", "sluice_audit_closed_timestamp_seconds"});  // after an audit
    EXPECT_EQ(names_in(document.str()), told);
}

TEST_F(probes, a_port_in_use_refuses_the_start_and_names_the_key) {
    start();
    const program_result second = run_sluice({"server"}, settings());
    EXPECT_EQ(second.code, 3);
    EXPECT_THAT(second.err, AllOf(HasSubstr("127.0.0.1:" + std::to_string(port_)), HasSubstr("server.health.port"),
                                  HasSubstr("port_auto_increment")));
    EXPECT_EQ(second.out, "");
}

TEST_F(probes, a_second_server_takes_the_next_port_when_it_may) {
    start();
    configure_server("health.port_auto_increment = true\n");
    running_program second{{"server"}, settings()};
    ASSERT_TRUE(second.wait_for_text("server.ready"));
    EXPECT_EQ(get("/healthz", 1).status, 200);
    second.signal(SIGTERM);
    EXPECT_EQ(second.finish().code, 0);
}

TEST_F(probes, may_be_switched_off) {
    configure_server("health.enabled = false\n");
    server_.emplace(std::vector<std::string>{"server"}, settings());
    ASSERT_TRUE(server_->wait_for_text("server.ready"));
    EXPECT_EQ(get("/healthz").status, 0);
    EXPECT_EQ(stop().code, 0);
}

TEST_F(probes, clients_that_misbehave_disturb_neither_probes_nor_the_end) {
    start();
    std::vector<raw_client> slow;
    for (int i = 0; i < 200; ++i) {
        slow.emplace_back(port_);
        slow.back().send("GET /readyz HTTP/1.1\r\nX-Slow: ");
    }
    EXPECT_EQ(get("/readyz").status, 200);
    const raw_client large{port_};
    large.send("GET /readyz HTTP/1.1\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n");
    EXPECT_EQ(large.read_response().status, 431);
    EXPECT_EQ(get("/readyz").status, 200);
    EXPECT_EQ(stop().code, 0);
}

}  // namespace
}  // namespace sluice::testing
