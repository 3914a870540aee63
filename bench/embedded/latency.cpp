#include "common/latency.hpp"

#include <memory>

#include <fmt/core.h>

#include "broker/sqlite/sqlite_broker.hpp"
#include "common/scratch.hpp"
#include "embedded/sections.hpp"
#include "store/sqlite/sqlite_database.hpp"

namespace sluice::bench {

void measure_latencies(const std::filesystem::path& directory, const scale& size) {
    fmt::print("\nFrom the commit to the broker's confirmation, durable on both sides, tick 1 s\n");
    fmt::print("  {:<28}{:>10}{:>11}{:>11}\n", "committed by", "rate", "p50 ms", "p99 ms");
    for (const bool other_process : {false, true}) {
        const scratch files{directory};
        const auto open = [&files] {
            return std::make_unique<workload>(store::make_sqlite_database({.path = files / "shop.db"}), 1);
        };
        const auto to = broker::make_sqlite_broker({.path = files / "broker.db"});
        const latency_run run{.events = size.events, .per_second = 100, .other_process = other_process};
        const auto found = measure_latency(open, *to, run);
        fmt::print("  {:<28}{:>8}/s{:>11.2f}{:>11.2f}   aim p50 < 5\n",
                   other_process ? "another process" : "the same process", run.per_second, found.p50_ms, found.p99_ms);
    }
}

}  // namespace sluice::bench
