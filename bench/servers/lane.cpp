#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "broker/redis/redis_broker.hpp"
#include "common/running_lane.hpp"
#include "common/settle_clock.hpp"
#include "common/statistics.hpp"
#include "common/workload.hpp"
#include "observe/tracer.hpp"
#include "servers/backlog.hpp"
#include "servers/bare_lane.hpp"
#include "servers/cpu_meter.hpp"
#include "servers/report.hpp"
#include "servers/sections.hpp"
#include "store/postgresql/postgresql_database.hpp"

namespace sluice::bench {

namespace {

constexpr int usual_batch = 1000;

/// Drains what waits over one lane for each broker. @returns rows per second of all of them together
double drain(const backlog& from, const std::vector<const private_redis*>& brokers, int batch) {
    const auto database = open_postgresql(from.uri());
    settle_clock clock;
    observe::tracer tracer{"bench", system_clock()};
    tracer.count_with(make_meter(clock));
    std::vector<std::shared_ptr<broker::broker>> opened;
    std::vector<std::unique_ptr<running_lane>> lanes;
    for (const auto* const server : brokers) {
        opened.push_back(open_redis(*server));
        const auto settings = lane_to(partner(static_cast<int>(opened.size())), static_cast<std::size_t>(batch));
        lanes.push_back(std::make_unique<running_lane>(settings, *database, *opened.back(), tracer));
    }
    const auto rate = clock.rate_of(from.rows() * brokers.size());
    lanes.clear();
    return rate;
}

double drain_one(const backlog& waiting, const private_redis& redis) {
    waiting.reset();
    const double rate = drain(waiting, {&redis}, usual_batch);
    redis.flush();
    return rate;
}

}  // namespace

namespace {

/// The runs of one program that drains a backlog.
struct drains {
    std::vector<double> rates{};
    std::vector<double> cpu_us{};  ///< of all three processes together, for a row
    cpu_use last{};

    template <class Measure>
    void add(const bed& on, const backlog& waiting, Measure measure) {
        waiting.reset();
        const cpu_meter cpu{on.postgresql, on.redis};
        rates.push_back(measure());
        last = cpu.spent();
        cpu_us.push_back(1e6 * last.total() / static_cast<double>(waiting.rows()));
        on.redis.flush();
    }
};

double median_ratio(const std::vector<double>& of, const std::vector<double>& to) {
    std::vector<double> ratio;
    for (std::size_t i = 0; i < of.size(); ++i) ratio.push_back(of[i] / to[i]);
    return median(ratio);
}

std::string us_text(const cpu_use& cpu, std::size_t rows) {
    const auto us = [rows](double seconds) { return 1e6 * seconds / static_cast<double>(rows); };
    return fmt::format("{:.1f}+{:.1f}+{:.1f}", us(cpu.program), us(cpu.postgresql), us(cpu.redis));
}

}  // namespace

void measure_lane(const bed& on) {
    print_section(fmt::format("lane: {} rows to Redis over TCP, external envelope, {} bytes of payload", on.size.rows,
                              payload_bytes),
                  "bare loop", "lane");
    const backlog waiting{on.postgresql.make_database("lane"), on.size.rows, {partner(1)}};
    for (const int batch : {50, 200, 1000}) {
        const auto bare = [&](settling how) {
            return [&, how] { return drain_bare(waiting, partner(1), on.redis.port(), batch, how); };
        };
        drains removing;
        drains updating;
        drains lane;
        for (int round = 0; round < on.size.rounds; ++round) {
            removing.add(on, waiting, bare(settling::remove));
            lane.add(on, waiting, [&] { return drain(waiting, {&on.redis}, batch); });
            updating.add(on, waiting, bare(settling::update));
        }
        const auto name = [batch](std::string_view what) { return fmt::format("batch {}, {}", batch, what); };
        const auto print_cpu = [&](const drains& limit) {
            print_note(name("CPU us a row: program + PostgreSQL + Redis"), us_text(limit.last, waiting.rows()),
                       us_text(lane.last, waiting.rows()), median_ratio(limit.cpu_us, lane.cpu_us));
        };
        print_line(name("the loop deletes its rows"), rate_text(median(removing.rates)), rate_text(median(lane.rates)),
                   median_ratio(lane.rates, removing.rates), {.floor = 0.35, .aim = 0.6});
        print_cpu(removing);
        print_note(name("the loop updates their status"), rate_text(median(updating.rates)),
                   rate_text(median(lane.rates)), median_ratio(lane.rates, updating.rates));
        print_cpu(updating);
    }
}

void measure_lanes(const bed& on) {
    print_section("lanes: four at once, each to a Redis of its own, against one of them", "one lane", "four, total");
    constexpr int count = 4;
    std::vector<std::string> targets;
    std::vector<std::unique_ptr<private_redis>> servers;
    std::vector<const private_redis*> all;
    for (int i = 1; i <= count; ++i) {
        targets.push_back(partner(i));
        servers.push_back(std::make_unique<private_redis>(on.directory / targets.back()));
        all.push_back(servers.back().get());
    }
    const backlog waiting{on.postgresql.make_database("lanes"), on.size.rows / count, targets};
    const backlog whole{on.postgresql.make_database("lanes_one"), on.size.rows, {partner(1)}};
    std::vector<double> one;
    std::vector<double> four;
    std::vector<double> ratio;
    for (int round = 0; round < on.size.rounds; ++round) {
        one.push_back(drain_one(whole, *all.front()));
        waiting.reset();
        four.push_back(drain(waiting, all, usual_batch));
        for (const auto* const server : all) server->flush();
        ratio.push_back(four.back() / one.back());
    }
    print_line("batch 1000", rate_text(median(one)), rate_text(median(four)), median(ratio),
               {.floor = 0.8, .aim = 1.0});
}

void measure_history(const bed& on) {
    print_section(fmt::format("history: {} rows published before", on.size.history), "empty table", "history");
    const backlog fresh{on.postgresql.make_database("history_none"), on.size.rows, {partner(1)}};
    const backlog old{on.postgresql.make_database("history_long"), on.size.rows, {partner(1)}, on.size.history};
    std::vector<double> without;
    std::vector<double> with;
    std::vector<double> ratio;
    for (int round = 0; round < on.size.rounds; ++round) {
        without.push_back(drain_one(fresh, on.redis));
        with.push_back(drain_one(old, on.redis));
        ratio.push_back(with.back() / without.back());
    }
    print_line("batch 1000", rate_text(median(without)), rate_text(median(with)), median(ratio),
               {.floor = 0.9, .aim = 1.0});
}

void measure_snapshot(const bed& on) {
    print_section("snapshot: an idle REPEATABLE READ transaction stays open", "without", "with");
    const backlog waiting{on.postgresql.make_database("snapshot"), on.size.rows, {partner(1)}};
    std::vector<double> without;
    std::vector<double> with;
    std::vector<double> ratio;
    for (int round = 0; round < on.size.rounds; ++round) {
        without.push_back(drain_one(waiting, on.redis));
        waiting.reset();
        const pg_link idle{waiting.uri()};
        idle.execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
        idle.execute("SELECT count(*) FROM lease");
        with.push_back(drain(waiting, {&on.redis}, usual_batch));
        on.redis.flush();
        ratio.push_back(with.back() / without.back());
    }
    print_line("batch 1000", rate_text(median(without)), rate_text(median(with)), median(ratio),
               {.floor = 0.8, .aim = 0.95});
}

}  // namespace sluice::bench
