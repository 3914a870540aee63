// A partner that accepts connections and never answers, for the length of the test.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "broker/redis/redis_broker.hpp"
#include "integration/cli_program.hpp"
#include "integration/http/http_client.hpp"
#include "integration/servers/figures.hpp"
#include "integration/servers/relay.hpp"
#include "observe/log.hpp"
#include "support/eventually.hpp"
#include "support/free_port.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point begin) { return std::chrono::duration<double>(steady::now() - begin).count(); }

bool soon(const std::function<bool()>& holds) { return testing::eventually(holds); }

class hung_partner : public ::testing::Test {
protected:
    hung_partner() { observe::configure_log({.threshold = observe::level::off}); }
    ~hung_partner() override { observe::configure_log({}); }

    temporary_directory directory_;
    redis_server inside_{directory_ / "inside"};
    redis_server abroad_{directory_ / "abroad"};
    tcp_gate gate_{abroad_.port()};
    std::string gate_uri_ = "redis://127.0.0.1:" + std::to_string(gate_.port());
};

// The same work with and without the lane that hangs, by turns.
TEST_F(hung_partner, changes_neither_the_throughput_nor_the_commit_latency_inside) {
    gate_.stall(true);
    relay house;
    house.settings.publish_timeout_seconds = 0.5;
    house.add_broker("default", broker::make_redis_broker({.uri = inside_.uri()}));
    house.add_broker("partner", broker::make_redis_broker({.uri = gate_uri_}));
    house.start_lane("default");

    const int rounds = strict_timing() ? 24 : 4;
    const std::size_t rows = strict_timing() ? 10'000 : 3'000;
    const int commits = strict_timing() ? 200 : 60;
    figure_pairs draining;
    figure_pairs committing;
    std::size_t expected = 0;
    const auto measure = [&](std::vector<double>& drained, std::vector<double>& committed) {
        const auto begin = steady::now();
        house.fill({.count = rows});
        ASSERT_TRUE(house.meter().wait_for("default", expected += rows, 60s));
        drained.push_back(seconds_since(begin));
        std::vector<double> latencies;
        for (int i = 0; i < commits; ++i) latencies.push_back(house.commit("c-" + std::to_string(i)));
        committed.push_back(median(latencies));
        ASSERT_TRUE(house.meter().wait_for("default", expected += static_cast<std::size_t>(commits), 60s));
    };
    const auto without_partner = [&] { measure(draining.without, committing.without); };
    const auto with_partner = [&] {
        house.start_lane("partner");
        ASSERT_TRUE(soon([&] {
            return house.scalar("SELECT count(*) FROM lease WHERE broker = 'partner' AND state = 'paused'") == "1";
        }));
        measure(draining.with, committing.with);
        house.stop_lane("partner");
    };
    without_partner();  // warms up
    draining = {};
    committing = {};
    measure_by_turns(rounds, without_partner, with_partner,
                     [&] { return draining.unchanged() && committing.unchanged(); });
    EXPECT_EQ(house.meter().published("partner"), 0U);
    print_figure("inside: {:.0f} rows/s without, {:.0f} rows/s with",
                 static_cast<double>(rows) / median(draining.without),
                 static_cast<double>(rows) / median(draining.with));
    draining.expect_unchanged("rows drained inside");
    committing.expect_unchanged("commit, p50");
}

/// The real program over real servers.
class hung_partner_of_a_service : public hung_partner {
protected:
    hung_partner_of_a_service() {
        configure("0.5");
        EXPECT_EQ(run({"db", "setup"}).code, 0);
    }

    void configure(const std::string& publish_timeout) const {
        std::ofstream{directory_ / "domain.toml"} << R"([databases.default]
provider = "postgresql"
database_uri = ")" << postgresql::uri() << R"("
schema = ")" << schema_ << R"("
[brokers.default]
provider = "redis"
URI = ")" << inside_.uri() << R"("
[brokers.partner]
provider = "redis"
URI = ")" << gate_uri_ << R"("
[brokers.elsewhere]
provider = "redis"
URI = ")" << inside_.uri() << R"("
[outbox]
external_brokers = ["partner"]
max_probe_interval_seconds = 0.1
publish_timeout_seconds = )" << publish_timeout << R"(
[server]
health.port = )" << port_ << "\n";
    }
    [[nodiscard]] program_settings settings() const {
        return {.directory = directory_.path(), .environment = {{"SLUICE_DOMAIN", TINY_DOMAIN}}};
    }
    [[nodiscard]] program_result run(const std::vector<std::string>& arguments) const {
        return run_sluice(arguments, settings());
    }

    void live(bool hangs, std::vector<double>& ready, std::vector<double>& stop) {
        gate_.open();
        gate_.stall(hangs);
        running_program server{{"server"}, settings()};
        ASSERT_TRUE(server.wait_for_text("server.ready"));
        ASSERT_TRUE(soon([&] { return http_get(port_, "/readyz").status == 200; }));
        const auto id = "c-" + std::to_string(++counters_);
        ASSERT_EQ(run({"process", "CreateCounter", R"({"counter_id":")" + id + "\"}"}).code, 0);
        const std::string wanted = hangs ? R"("state": "paused")" : R"("state": "idle")";
        ASSERT_TRUE(soon([&] {
            const auto lanes = http_get(port_, "/readyz").body;
            return lanes.find(wanted, lanes.find("default:partner")) != std::string::npos;
        })) << http_get(port_, "/readyz").body;
        std::vector<double> answered;
        for (int i = 0; i < 40; ++i) {
            const auto begin = steady::now();
            const auto answer = http_get(port_, "/readyz");
            answered.push_back(seconds_since(begin));
            ASSERT_EQ(answer.status, 200) << answer.body;
        }
        ready.push_back(median(answered));
        slowest_ready_ = std::max(slowest_ready_, quantile(answered, 1));
        const auto begin = steady::now();
        server.signal(SIGTERM);
        const auto result = server.finish();
        stop.push_back(seconds_since(begin));
        EXPECT_EQ(result.code, 0);
        EXPECT_THAT(result.err, HasSubstr("engine.stopped in_time=yes"));
    }

    std::string schema_ = postgresql::fresh_schema();
    std::uint16_t port_ = free_port();
    int counters_ = 0;
    double slowest_ready_ = 0;
};

TEST_F(hung_partner_of_a_service, changes_neither_the_end_nor_the_probes) {
    figure_pairs ready;
    figure_pairs stop;
    measure_by_turns(
        strict_timing() ? 20 : 2, [&] { live(false, ready.without, stop.without); },
        [&] { live(true, ready.with, stop.with); }, [&] { return ready.unchanged(0.002) && stop.unchanged(0.1); });
    ready.expect_unchanged("/readyz, p50", 0.002);
    stop.expect_unchanged("SIGTERM to the end", 0.1);
    EXPECT_LT(slowest_ready_, strict_timing() ? 0.5 : 10);
    EXPECT_LT(quantile(stop.with, 1), strict_timing() ? 1.5 : 30);
}

// Before anybody knows that it hangs: a batch is on its way when the service is told to end.
TEST_F(hung_partner_of_a_service, delays_the_end_by_a_second_when_a_batch_is_on_its_way) {
    configure("120\nlease_seconds = 300");
    running_program server{{"server"}, settings()};
    ASSERT_TRUE(server.wait_for_text("server.ready"));
    ASSERT_EQ(run({"process", "CreateCounter", R"({"counter_id":"c-1"})"}).code, 0);
    ASSERT_TRUE(soon([&] { return abroad_.message_ids("tiny::counter").size() == 1; }));
    gate_.stall(true);
    ASSERT_EQ(run({"process", "CreateCounter", R"({"counter_id":"c-2"})"}).code, 0);
    ASSERT_TRUE(soon([&] { return inside_.message_ids("tiny::counter").size() == 2; }));
    const auto begin = steady::now();
    server.signal(SIGTERM);
    EXPECT_EQ(server.finish().code, 0);
    EXPECT_LT(seconds_since(begin), 30);
}

}  // namespace
}  // namespace sluice::testing
