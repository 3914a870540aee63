#pragma once

#include <filesystem>

namespace sluice::bench {

struct scale {
    int rounds = 5;
    int commits = 300;          ///< per round and variant
    std::size_t rows = 20'000;  ///< of the backlog
    int events = 400;           ///< of each latency run
};

/// Commit with 0, 1 and 3 external brokers against a plain insert of the same state.
void measure_commit_cost(const std::filesystem::path& directory, const scale& size);
/// A lane that drains a backlog against a bare loop of the same SQL.
void measure_throughput(const std::filesystem::path& directory, const scale& size);
/// Commit to the broker's confirmation, from this process and from another one.
void measure_latencies(const std::filesystem::path& directory, const scale& size);

}  // namespace sluice::bench
