#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include <sluice/sluice.hpp>

#include "base/random.hpp"
#include "commit/environment.hpp"
#include "common/statistics.hpp"
#include "consume/route.hpp"
#include "consume/subscription.hpp"
#include "servers/pg_link.hpp"
#include "servers/redis_link.hpp"
#include "servers/report.hpp"
#include "servers/sections.hpp"

namespace sluice::bench {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto primary = "bench::alarm";
constexpr auto backfill = "bench::alarm:backfill";
constexpr std::size_t backfill_size = 100'000;
constexpr auto interval = std::chrono::milliseconds{10};
/// What the handler does with a message that is not measured.
constexpr auto work = std::chrono::milliseconds{1};

std::int64_t now_ns() { return steady::now().time_since_epoch().count(); }

/// Milliseconds from the sending of a message to its handler.
class arrivals {
public:
    void add(double milliseconds) {
        const std::lock_guard lock{mutex_};
        values_.push_back(milliseconds);
    }
    [[nodiscard]] std::vector<double> all() const {
        const std::lock_guard lock{mutex_};
        return values_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<double> values_;
};

struct alarm_events {
    void operator()(const message& m, context& /*in*/) const {
        constexpr double ns_per_ms = 1e6;
        const std::int64_t sent = m.data().at("sent").as_int();
        if (sent == 0) {
            std::this_thread::sleep_for(work);
        } else {
            seen->add(static_cast<double>(now_ns() - sent) / ns_per_ms);
        }
    }

    std::shared_ptr<arrivals> seen;
};

void append_message(std::string& to, std::string_view stream, std::size_t number, std::int64_t sent) {
    append_command(to,
                   {"XADD", stream, "*", "data",
                    fmt::format(R"({{"data":{{"sent":{}}},"metadata":{{"headers":{{"id":"a{}","type":"Bench.Alarm.v1",)"
                                R"("stream":"bench::alarm-{}"}}}}}})",
                                sent, number, number)});
}

void fill(redis_link& link) {
    constexpr std::size_t portion = 1'000;
    for (std::size_t done = 0; done < backfill_size; done += portion) {
        std::string commands;
        for (std::size_t i = 0; i < portion; ++i) append_message(commands, backfill, done + i, 0);
        link.send(commands);
        for (std::size_t i = 0; i < portion; ++i) static_cast<void>(link.bulk());
    }
}

/// Sends to one stream at a steady pace while a subscription reads both.
std::vector<double> measure_stream(const bed& on, const std::string& uri, const char* stream, bool backlog) {
    redis_link link{on.redis.port()};
    if (backlog) fill(link);

    const auto seen = std::make_shared<arrivals>();
    domain watch{"watch"};
    watch.subscriber<alarm_events>({.broker = "default", .stream = primary}, alarm_events{.seen = seen});
    config::configuration configuration;
    configuration.server.priority_lanes.enabled = true;
    commit::adapters parts;
    parts.databases.emplace("default", open_postgresql(uri));
    parts.brokers.emplace("default", open_redis(on.redis));
    commit::environment env{watch.declared(), configuration, std::move(parts), system_clock(), base::system_random()};
    consume::subscription reader{env, consume::routes_of(env).front(), "bench-1"};
    std::jthread thread{[&](const std::stop_token& stop) { reader.run(stop); }};

    const auto count = static_cast<std::size_t>(std::chrono::seconds{on.size.seconds} / interval);
    auto next = steady::now() + std::chrono::milliseconds{500};  // until it has joined its groups
    for (std::size_t i = 0; i < count; ++i, next += interval) {
        std::this_thread::sleep_until(next);
        std::string command;
        append_message(command, stream, backfill_size + i, now_ns());
        link.send(command);
        static_cast<void>(link.bulk());
    }
    const auto give_up = steady::now() + std::chrono::seconds{10};
    while (seen->all().size() < count && steady::now() < give_up) std::this_thread::sleep_for(interval);
    thread.request_stop();
    thread.join();
    on.redis.flush();
    return seen->all();
}

}  // namespace

void measure_priority(const bed& on) {
    print_section("priority: from the broker to the handler, one subscription that reads both lanes, 100/s", "",
                  "handled");
    const auto uri = on.postgresql.make_database("priority");
    open_postgresql(uri)->setup();
    const auto tell = [](const std::string& name, const std::vector<double>& found) {
        constexpr double p50 = 0.5;
        constexpr double p99 = 0.99;
        print_line(name + ", p50 ms", "", std::to_string(found.size()), quantile(found, p50),
                   {.floor = 3, .aim = 1.5, .upper = true});
        print_line(name + ", p99 ms", "", "", quantile(found, p99), {.floor = 10, .aim = 4, .upper = true});
    };
    tell(fmt::format("primary, {} backfill messages of 1 ms wait", backfill_size),
         measure_stream(on, uri, primary, true));
    tell("backfill, the primary stream is idle", measure_stream(on, uri, backfill, false));
}

}  // namespace sluice::bench
