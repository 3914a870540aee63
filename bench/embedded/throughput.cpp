#include <chrono>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "broker/sqlite/sqlite_broker.hpp"
#include "common/running_lane.hpp"
#include "common/scratch.hpp"
#include "common/settle_clock.hpp"
#include "common/statistics.hpp"
#include "common/workload.hpp"
#include "embedded/bare.hpp"
#include "embedded/sections.hpp"
#include "store/sqlite/sqlite_database.hpp"

namespace sluice::bench {

namespace {

/// Each run drains a copy of the same backlog into a broker of its own.
void copy_backlog(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

/// The first message makes the file, its tables and the stream that the bare loop writes to.
void make_broker_file(const std::filesystem::path& file) {
    const broker::outgoing first{.stream = "bench::reading", .message_id = "first", .key = "first", .body = "{}"};
    static_cast<void>(broker::make_sqlite_broker({.path = file})
                          ->open_publisher()
                          ->publish({&first, 1}, {}, std::chrono::seconds{10}));
}

double bare_rate(const scratch& files, const std::string& run, int batch) {
    const auto database = files / (run + "-bare.db");
    const auto broker = files / (run + "-bare-broker.db");
    copy_backlog(files / "backlog.db", database);
    make_broker_file(broker);
    settle_clock clock;
    return clock.rate_of(drain_bare(database, broker, partner(1), batch, clock));
}

double lane_rate(const scratch& files, const std::string& run, int batch, std::size_t rows) {
    const auto database_file = files / (run + "-lane.db");
    copy_backlog(files / "backlog.db", database_file);
    const auto database = store::make_sqlite_database({.path = database_file});
    const auto broker = broker::make_sqlite_broker({.path = files / (run + "-lane-broker.db")});
    settle_clock clock;
    observe::tracer tracer{"bench", system_clock()};
    tracer.count_with(make_meter(clock));
    const running_lane lane{lane_to(partner(1), static_cast<std::size_t>(batch)), *database, *broker, tracer};
    return clock.rate_of(rows);
}

}  // namespace

void measure_throughput(const std::filesystem::path& directory, const scale& size) {
    const scratch files{directory};
    {
        workload work{store::make_sqlite_database({.path = files / "backlog.db"}), 1};
        committer{work}.commit_many(size.rows);
    }

    fmt::print(
        "\nLane draining {} rows, external envelope, durable on both sides, against a bare loop of the same SQL\n",
        size.rows);
    fmt::print("  {:<16}{:>14}{:>14}{:>10}\n", "batch", "bare rows/s", "lane rows/s", "ratio");
    for (const int batch : {50, 200, 1000}) {
        std::vector<double> bare;
        std::vector<double> lane;
        std::vector<double> ratio;
        for (int round = 0; round < size.rounds; ++round) {
            const std::string run = std::to_string(batch) + "-" + std::to_string(round);
            bare.push_back(bare_rate(files, run, batch));
            lane.push_back(lane_rate(files, run, batch, size.rows));
            ratio.push_back(lane.back() / bare.back());
        }
        fmt::print("  {:<16}{:>14.0f}{:>14.0f}{:>9.2f}x   aim >= 0.5\n", batch, median(bare), median(lane),
                   median(ratio));
    }
}

}  // namespace sluice::bench
