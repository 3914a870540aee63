#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <fmt/core.h>

#include "embedded/bare.hpp"
#include "embedded/sections.hpp"
#include "embedded/workload.hpp"
#include "outbox/lane.hpp"

namespace sluice::bench {

namespace {

/// Counts what a lane has settled and wakes the one who waits for the last.
class settled_counter {
public:
    void add() {
        const std::lock_guard lock{mutex_};
        ++settled_;
        changed_.notify_all();
    }
    void wait_for(std::size_t rows) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return settled_ >= rows; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t settled_ = 0;
};

using seconds = std::chrono::duration<double>;

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
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t rows = drain_bare(database, broker, "partner_1", batch);
    return static_cast<double>(rows) / seconds{std::chrono::steady_clock::now() - begin}.count();
}

double lane_rate(const scratch& files, const std::string& run, int batch, std::size_t rows) {
    const auto database_file = files / (run + "-lane.db");
    copy_backlog(files / "backlog.db", database_file);
    const auto database = store::make_sqlite_database({.path = database_file});
    const auto broker = broker::make_sqlite_broker({.path = files / (run + "-lane-broker.db")});

    settled_counter counter;
    observe::tracer tracer{"bench", system_clock()};
    tracer.subscribe([&](const trace_event&) { counter.add(); });
    base::seeded_random random{1};
    outbox::lane_settings settings;
    settings.database = "default";
    settings.broker = "partner_1";
    settings.external = true;
    settings.owner = "bench";
    settings.outbox.messages_per_tick = static_cast<std::size_t>(batch);
    outbox::lane lane{settings, {*database, *broker, system_clock(), random, tracer}};

    const auto begin = std::chrono::steady_clock::now();
    std::jthread thread{[&](const std::stop_token& stop) { lane.run(stop); }};
    counter.wait_for(rows);
    const seconds spent = std::chrono::steady_clock::now() - begin;
    thread.request_stop();
    lane.signal().notify();
    return static_cast<double>(rows) / spent.count();
}

}  // namespace

void measure_throughput(const std::filesystem::path& directory, const scale& size) {
    const scratch files{directory};
    workload{files / "backlog.db", 1}.make_backlog(size.rows);

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
