#include <chrono>
#include <string>
#include <thread>

#include <fmt/core.h>

#include "common/workload.hpp"
#include "engine/engine.hpp"
#include "servers/cpu_meter.hpp"
#include "servers/pg_link.hpp"
#include "servers/report.hpp"
#include "servers/sections.hpp"

namespace sluice::bench {

namespace {

constexpr int lanes = 2;

/// Round trips to the database: each is a transaction of its own. Asked for in another database, so as not to count.
double transactions_in(const pg_link& db, const std::string& name) {
    return std::stod(
        db.scalar("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '" + name + "'"));
}

}  // namespace

void measure_idle(const bed& on) {
    print_section("idle: an engine with two lanes and nothing to do", "", "");
    const std::string name = "idle";
    const auto uri = on.postgresql.make_database(name);
    const broker_map brokers{{"default", open_redis(on.redis)}, {partner(1), open_redis(on.redis)}};
    workload work{open_postgresql(uri), 1, brokers};
    committer{work}.commit_one();
    engine::engine running{work.env()};
    running.start();
    std::this_thread::sleep_for(std::chrono::seconds{3});

    const pg_link watching{on.postgresql.uri()};
    const double transactions = transactions_in(watching, name);
    const double cpu = program_cpu();
    std::this_thread::sleep_for(std::chrono::seconds{2 * on.size.seconds});
    const double seconds = 2.0 * on.size.seconds;
    print_line("transactions per second and lane", "", "",
               (transactions_in(watching, name) - transactions) / seconds / lanes, {.floor = 2, .upper = true});
    print_line("CPU of the engine, % of a core", "", "", 100 * (program_cpu() - cpu) / seconds,
               {.floor = 1, .upper = true});
}

}  // namespace sluice::bench
