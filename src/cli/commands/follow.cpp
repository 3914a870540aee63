#include "cli/commands/follow.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <sluice/error.hpp>

#include "cli/terminal/follow_output.hpp"

namespace sluice::cli {

namespace {

using operate::log_tail;
using monotonic = std::chrono::steady_clock;

/// Told on standard error, because standard output has the lines only.
void tell_about(const session& in, log_tail& tail) {
    if (tail.is_back()) in.out.warn(fmt::format("database {} is back", tail.name()));
    if (const std::string what = tail.other_history(); !what.empty()) {
        in.out.warn(
            fmt::format("database {} has another history than before ({}): its last {} numbers are looked "
                        "through again",
                        tail.name(), what, log_tail::looked_back));
    }
    if (const std::string what = tail.long_wait(monotonic::now()); !what.empty()) in.out.warn(what);
}

std::chrono::milliseconds shortest_pause(const std::vector<log_tail>& tails) {
    std::chrono::milliseconds pause{1'000};
    for (const log_tail& each : tails) pause = std::min(pause, each.pause(monotonic::now()));
    return pause;
}

/// False when the output wants no more.
bool advance(const session& in, log_tail& tail, operate::log_feed& what) {
    try {
        tail.look();
        tell_about(in, tail);
        return what.advance(tail);
    } catch (const store_error& e) {
        if (tail.lost()) in.out.warn(fmt::format("database {} is tried again and again: {}", tail.name(), e.what()));
        return true;
    }
}

}  // namespace

exit_code follow(const session& in, const installation& with, operate::log_feed& what, follow_output& out,
                 const std::optional<std::string>& header) {
    std::vector<log_tail> tails;
    for (const auto& [name, database] : with.parts.databases) tails.emplace_back(name, *database);
    while (true) {
        for (log_tail& each : tails) {
            each.look();
            tell_about(in, each);
        }
        if (std::ranges::all_of(tails, &log_tail::is_known)) break;
        if (!out.rest(shortest_pause(tails))) return exit_code::ok;
    }
    if (header && !out.line(*header)) return exit_code::ok;
    if (!what.begin(tails)) return exit_code::ok;
    while (true) {
        for (log_tail& each : tails) {
            if (!advance(in, each, what)) return exit_code::ok;
        }
        if (!out.rest(shortest_pause(tails))) return exit_code::ok;
    }
}

}  // namespace sluice::cli
