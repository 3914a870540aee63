#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "broker/broker.hpp"
#include "servers/private_servers.hpp"
#include "store/store.hpp"

namespace sluice::bench {

struct server_scale {
    int rounds = 3;
    std::size_t rows = 200'000;       ///< of a backlog
    std::size_t history = 3'000'000;  ///< rows published before
    int commits = 500;                ///< per round and variant
    int seconds = 10;                 ///< of a latency run, and of watching an idle engine
    int writing_seconds = 4;          ///< per round and variant of the committers
    std::size_t messages = 3'000;     ///< to consume, per round
};

/// What the sections measure on.
struct bed {
    const std::filesystem::path& directory;  ///< for files
    const private_postgresql& postgresql;
    const private_redis& redis;
    const server_scale& size;
};

/// A lane that drains a backlog, against bare loops over the same servers.
void measure_lane(const bed& on);
/// Four lanes at once against one of them.
void measure_lanes(const bed& on);
/// Commit to the broker's confirmation, from this process and from another one.
void measure_latencies(const bed& on);
/// One commit with 0, 1 and 3 external brokers against a plain insert of the same state.
void measure_commit(const bed& on);
/// Many writers with the lanes running against the same without them.
void measure_committers(const bed& on);
/// A lane behind a long history against one that begins.
void measure_history(const bed& on);
/// A lane while somebody's old snapshot is open.
void measure_snapshot(const bed& on);
/// Consume, handle and commit against a bare loop of the same.
void measure_consume(const bed& on);
/// What a message waits for while a subscription reads two priority lanes.
void measure_priority(const bed& on);
/// What an engine does that has nothing to do.
void measure_idle(const bed& on);
/// What the program `sluice server` keeps in memory while it drains a backlog over two lanes.
void measure_memory(const bed& on);

[[nodiscard]] std::shared_ptr<store::database> open_postgresql(const std::string& uri);
[[nodiscard]] std::shared_ptr<broker::broker> open_redis(const private_redis& server);

}  // namespace sluice::bench
