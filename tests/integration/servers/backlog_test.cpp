// What has piled up for one partner, or behind one refused message, is nobody else's trouble.
// SLUICE_BACKLOG=<n>: rows of the backlog; SLUICE_BLOCKED=<n>: rows behind the refused message.

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "broker/redis/redis_broker.hpp"
#include "integration/servers/figures.hpp"
#include "integration/servers/relay.hpp"
#include "integration/servers/resident_set.hpp"
#include "observe/log.hpp"
#include "support/redis_server.hpp"
#include "support/scripted_broker.hpp"
#include "support/tcp_gate.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

double seconds_since(steady::time_point begin) { return std::chrono::duration<double>(steady::now() - begin).count(); }

class backlog : public ::testing::Test {
protected:
    backlog() { observe::configure_log({.threshold = observe::level::off}); }
    ~backlog() override { observe::configure_log({}); }

    [[nodiscard]] static std::unique_ptr<broker::broker> redis(std::uint16_t port, int database) {
        return broker::make_redis_broker(
            {.uri = "redis://127.0.0.1:" + std::to_string(port) + "/" + std::to_string(database)});
    }

    temporary_directory directory_;
    redis_server inside_{directory_ / "inside"};
    redis_server abroad_{directory_ / "abroad"};
    tcp_gate gate_{abroad_.port()};
};

TEST_F(backlog, of_a_partner_that_is_down_delays_nothing_inside_and_drains_at_full_speed_in_order) {
    const auto size = size_from("SLUICE_BACKLOG", 50'000);
    tcp_gate open_gate{abroad_.port()};
    relay healthy;
    healthy.add_broker("default", redis(inside_.port(), 0));
    healthy.add_broker("partner", redis(open_gate.port(), 0));
    relay loaded;
    loaded.settings.max_probe_interval_seconds = 1;
    loaded.add_broker("default", redis(inside_.port(), 1));
    loaded.add_broker("partner", redis(gate_.port(), 1));

    gate_.refuse(true);
    for (std::size_t filled = 0; filled < size; filled += 50'000) {
        loaded.fill({.count = std::min<std::size_t>(50'000, size - filled),
                     .streams = 1'000,
                     .open = {"partner"},
                     .published = {"default"}});
    }
    healthy.fill({.count = 1'000});
    for (auto* const each : {&healthy, &loaded}) {
        each->start_lane("default");
        each->start_lane("partner");
        each->commit("warm");
        ASSERT_TRUE(each->meter().wait_for("default", 1, 60s));
    }
    ASSERT_TRUE(healthy.meter().wait_for("partner", 1'001, 60s));

    const int commits = strict_timing() ? 200 : 80;
    figure_pairs usual_latency;
    figure_pairs worst_latency;
    const auto measure = [commits](relay& house, std::vector<double>& p50, std::vector<double>& p99) {
        static_cast<void>(house.meter().take_latencies());
        auto expected = house.meter().published("default");
        for (int i = 0; i < commits; ++i) {
            house.commit("c-" + std::to_string(i));
            ASSERT_TRUE(house.meter().wait_for("default", ++expected, 60s));
        }
        const auto latencies = house.meter().take_latencies();
        p50.push_back(median(latencies));
        p99.push_back(quantile(latencies, 0.99));
    };
    constexpr double slack_of_p50 = 0.002;
    constexpr double slack_of_p99 = 0.02;
    measure_by_turns(
        strict_timing() ? 40 : 5, [&] { measure(healthy, usual_latency.without, worst_latency.without); },
        [&] { measure(loaded, usual_latency.with, worst_latency.with); },
        [&] { return usual_latency.unchanged(slack_of_p50) && worst_latency.unchanged(slack_of_p99); });
    EXPECT_EQ(loaded.meter().published("partner"), 0U);
    EXPECT_EQ(loaded.meter().refused("partner"), 0U) << "an outage costs no attempt";
    usual_latency.expect_unchanged("commit to confirmation inside, p50", slack_of_p50);
    worst_latency.expect_unchanged("commit to confirmation inside, p99", slack_of_p99);

    const auto all = static_cast<std::size_t>(
        std::stoull(loaded.scalar("SELECT count(*) FROM outbox WHERE target_broker = 'partner'")));
    const std::size_t usual = strict_timing() ? 100'000 : 10'000;
    const auto rate_of_drain = [](relay& house, const std::string& broker, std::size_t rows, auto begin_with) {
        const auto expected = house.meter().published(broker) + rows;
        begin_with();
        const auto begin = steady::now();
        EXPECT_TRUE(house.meter().wait_for(broker, expected, 600s));
        return static_cast<double>(rows) / seconds_since(begin);
    };
    healthy.stop_lane("partner");
    healthy.fill({.count = usual, .open = {"partner"}, .published = {"default"}});
    const auto usually = rate_of_drain(healthy, "partner", usual, [&] { healthy.start_lane("partner"); });
    const resident_set_watch memory;
    const auto drained = rate_of_drain(loaded, "partner", all, [&] { gate_.refuse(false); });
    const auto growth = memory.growth();
    print_figure(
        "{} rows drained at {:.0f} rows/s, {:.0f} rows/s without a backlog, ratio {:.2f}; memory grew by "
        "{:.1f} MiB to {:.1f} MiB",
        all, drained, usually, drained / usually, static_cast<double>(growth) / 1048576,
        static_cast<double>(resident_set()) / 1048576);
    EXPECT_GT(drained, (strict_timing() ? 0.95 : 0.2) * usually);
    EXPECT_LT(growth, std::size_t{32} << 20U);

    const auto [published, inverted] = loaded.published_and_inverted("partner");
    EXPECT_EQ(published, all);
    EXPECT_EQ(inverted, 0U);
    EXPECT_EQ(abroad_.cli({"-n", "1", "xlen", "shop::order"}), std::to_string(all)) << "nothing twice";
    EXPECT_EQ(loaded.scalar("SELECT count(*) FROM outbox WHERE retry_count > 0"), "0");
}

TEST_F(backlog, behind_a_refused_message_does_not_slow_the_other_streams) {
    const auto size = size_from("SLUICE_BLOCKED", 10'000);
    const auto script = std::make_shared<broker_script>();
    const auto make_relay = [&](relay& house, int database) {
        house.settings.retry = {
            .max_attempts = 1'000'000, .base_delay_seconds = 0.5, .max_backoff_seconds = 0.5, .jitter = false};
        house.add_broker("default", std::make_shared<scripted_broker>(redis(inside_.port(), database), script));
        house.start_lane("default");
    };
    relay free;
    make_relay(free, 0);
    relay blocked;
    make_relay(blocked, 1);

    script->refuse("shop::order-x0-0", -1);
    blocked.fill({.name = "x", .count = size + 1, .streams = 1, .open = {"default"}});
    const auto begin = steady::now();
    blocked.fill({.count = 1, .open = {"default"}});
    ASSERT_TRUE(blocked.meter().wait_for("default", 1, 60s));
    print_figure("{} rows behind a refused one passed over in {:.0f} ms", size, seconds_since(begin) * 1e3);

    const std::size_t rows = strict_timing() ? 10'000 : 4'000;
    figure_pairs draining;
    const auto measure = [rows](relay& house, std::vector<double>& into) {
        const auto expected = house.meter().published("default") + rows;
        const auto start = steady::now();
        house.fill({.count = rows, .open = {"default"}});
        ASSERT_TRUE(house.meter().wait_for("default", expected, 60s));
        into.push_back(seconds_since(start));
    };
    measure(free, draining.without);
    measure(blocked, draining.with);
    draining = {};
    measure_by_turns(
        strict_timing() ? 24 : 5, [&] { measure(free, draining.without); }, [&] { measure(blocked, draining.with); },
        [&] { return draining.unchanged(); });
    EXPECT_GT(blocked.meter().refused("default"), 1U) << "it was tried again all the while";
    print_figure("other streams: {:.0f} rows/s without, {:.0f} rows/s with",
                 static_cast<double>(rows) / median(draining.without),
                 static_cast<double>(rows) / median(draining.with));
    draining.expect_unchanged("rows of other streams");

    const auto expected = blocked.meter().published("default") + size + 1;
    script->refuse("shop::order-x0-0", 0);
    const auto release = steady::now();
    ASSERT_TRUE(blocked.meter().wait_for("default", expected, 120s));
    print_figure("{} rows of the stream caught up at {:.0f} rows/s", size,
                 static_cast<double>(size) / seconds_since(release));
    EXPECT_EQ(blocked.scalar("SELECT count(*) FROM (SELECT place <= lag(place) OVER (ORDER BY seq) AS inverted FROM ("
                             "SELECT seq, string_to_array(receipt, '-')::bigint[] AS place FROM outbox"
                             " WHERE stream = 'shop::order-x0') AS rows) AS pairs WHERE inverted"),
              "0");
    EXPECT_EQ(inside_.cli({"-n", "1", "xlen", "shop::order"}), blocked.scalar("SELECT count(*) FROM outbox"));
}

}  // namespace
}  // namespace sluice::testing
