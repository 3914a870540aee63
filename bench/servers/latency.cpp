#include "common/latency.hpp"

#include <memory>
#include <string>

#include <fmt/core.h>

#include "servers/report.hpp"
#include "servers/sections.hpp"

namespace sluice::bench {

namespace {

constexpr bound p50_bound{.floor = 2, .aim = 0.8, .upper = true};
constexpr bound p99_bound{.floor = 10, .aim = 3, .upper = true};

}  // namespace

void measure_latencies(const bed& on) {
    print_section("latency: from the commit to Redis' acknowledgement, one lane", "committed", "");
    int run_number = 0;
    for (const int per_second : {100, 2'000}) {
        for (const bool other_process : {false, true}) {
            const auto uri = on.postgresql.make_database("latency_" + std::to_string(++run_number));
            const auto to = open_redis(on.redis);
            const auto open = [&uri] { return std::make_unique<workload>(open_postgresql(uri), 1); };
            open();  // makes the tables, before two processes would
            const latency_run run{.events = per_second * on.size.seconds,
                                  .per_second = per_second,
                                  .committers = per_second / 250 + 1,
                                  .other_process = other_process};
            const auto found = measure_latency(open, *to, run);
            const auto name =
                fmt::format("{}/s, {} commits", per_second, other_process ? "another process" : "the lane's process");
            print_line(name + ", p50 ms", rate_text(found.per_second), "", found.p50_ms, p50_bound);
            print_line(name + ", p99 ms", "", "", found.p99_ms, p99_bound);
            on.redis.flush();
        }
    }
}

}  // namespace sluice::bench
