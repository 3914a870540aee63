#include <cstdio>
#include <exception>
#include <filesystem>
#include <string_view>

#include <fmt/core.h>

#include "embedded/sections.hpp"
#include "observe/log.hpp"

int main(int argc, char** argv) {
    sluice::bench::scale size;
    std::filesystem::path directory = std::filesystem::current_path();
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--quick") {
            size = {.rounds = 1, .commits = 50, .rows = 2000, .events = 50};
        } else if (argument == "--help" || argument.starts_with('-')) {
            fmt::print(
                "usage: bench_embedded [--quick] [DIRECTORY]\n"
                "Measures the embedded store and broker in DIRECTORY (default: here), which decides the cost of "
                "fsync.\n");
            return argument == "--help" ? 0 : 2;
        } else {
            directory = argument;
        }
    }
    try {
        sluice::observe::configure_log({.threshold = sluice::observe::level::warn});
        sluice::bench::measure_commit_cost(directory, size);
        sluice::bench::measure_throughput(directory, size);
        sluice::bench::measure_latencies(directory, size);
    } catch (const std::exception& e) {
        fmt::print(stderr, "bench_embedded: {}\n", e.what());
        return 1;
    }
}
