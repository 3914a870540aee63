#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include <fmt/core.h>

#include "broker/redis/redis_broker.hpp"
#include "common/scratch.hpp"
#include "observe/log.hpp"
#include "servers/sections.hpp"
#include "store/postgresql/postgresql_database.hpp"

namespace sluice::bench {

namespace {

struct section {
    std::string_view name;
    void (*measure)(const bed&);
};

constexpr std::array sections{section{"lane", measure_lane},
                              section{"lanes", measure_lanes},
                              section{"latency", measure_latencies},
                              section{"commit", measure_commit},
                              section{"committers", measure_committers},
                              section{"history", measure_history},
                              section{"snapshot", measure_snapshot},
                              section{"consume", measure_consume},
                              section{"priority", measure_priority},
                              section{"idle", measure_idle},
#ifdef BENCH_SHOP_LIBRARY
                              section{"memory", measure_memory}
#endif
};

constexpr server_scale quick{.rounds = 1,
                             .rows = 20'000,
                             .history = 300'000,
                             .commits = 200,
                             .seconds = 3,
                             .writing_seconds = 2,
                             .messages = 500};

struct wishes {
    server_scale size;
    std::string_view only;
};

void print_usage() {
    fmt::print(
        "usage: bench_servers [--quick] [--only SECTION] [--rows N]\n"
        "Measures PostgreSQL and Redis, on servers that it starts and stops, against bare programs in the same run.\n"
        "PostgreSQL keeps its data in $TMPDIR (default: /tmp), which decides the cost of fsync.\nSections:");
    for (const auto& each : sections) fmt::print(" {}", each.name);
    fmt::print("\n");
}

/// Nothing when they make no sense.
std::optional<wishes> read(int count, char** words) {
    wishes wanted;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        const std::string_view value = i + 1 < count ? words[i + 1] : "";
        if (word == "--quick") {
            wanted.size = quick;
        } else if (word == "--only" && !value.empty()) {
            wanted.only = value;
            ++i;
        } else if (word == "--rows" && !value.empty()) {
            std::from_chars(value.data(), value.data() + value.size(), wanted.size.rows);
            ++i;
        } else {
            return std::nullopt;
        }
    }
    const bool known =
        wanted.only.empty() || std::ranges::find(sections, wanted.only, &section::name) != sections.end();
    constexpr std::size_t least_rows = 4'000;  // several of the largest batches for each lane
    if (!known || wanted.size.rows < least_rows) return std::nullopt;
    return wanted;
}

void measure(const wishes& wanted) {
    const scratch files{std::filesystem::temp_directory_path()};
    const private_postgresql postgresql{files / "postgresql"};
    const private_redis redis{files / "redis"};
    const bed on{files.path(), postgresql, redis, wanted.size};
    for (const auto& each : sections) {
        if (wanted.only.empty() || wanted.only == each.name) each.measure(on);
    }
}

}  // namespace

std::shared_ptr<store::database> open_postgresql(const std::string& uri) {
    return store::make_postgresql_database({.conninfo = uri, .max_connections = 48});
}

std::shared_ptr<broker::broker> open_redis(const private_redis& server) {
    return broker::make_redis_broker({.uri = server.uri()});
}

}  // namespace sluice::bench

int main(int argc, char** argv) {
    const auto wanted = sluice::bench::read(argc, argv);
    if (!wanted) {
        sluice::bench::print_usage();
        return 2;
    }
    try {
        sluice::observe::configure_log({.threshold = sluice::observe::level::warn});
        sluice::bench::measure(*wanted);
    } catch (const std::exception& e) {
        fmt::print(stderr, "bench_servers: {}\n", e.what());
        return 1;
    }
}
