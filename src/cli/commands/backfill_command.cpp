#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands/commands.hpp"
#include "cli/commands/since.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/progress.hpp"
#include "cli/terminal/rewritten_line.hpp"
#include "cli/terminal/stop_signals.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "operate/backfills.hpp"

namespace sluice::cli {

namespace {

using operate::located_backfill;
using store::backfill_state;

struct backfill_arguments {
    std::string broker;
    std::string database;
    std::string from;
    std::vector<std::string> types;
    std::vector<std::string> streams;
    std::optional<int> rate;
    std::size_t limit = 100;
    bool dry_run = false;
    bool wait = false;
    bool pause = false;
    bool resume = false;
    bool cancel = false;

    [[nodiscard]] bool changes() const { return pause || resume || cancel; }
    [[nodiscard]] bool chooses() const {
        return !from.empty() || !types.empty() || !streams.empty() || !database.empty() || dry_run;
    }
};

/// Digits are a number in the log.
void read_from(const std::string& from, operate::backfill_request& asked, date_time now) {
    if (from.empty()) return;
    if (!std::ranges::all_of(from, [](char c) { return c >= '0' && c <= '9'; })) {
        asked.since = read_since("--from", from, now);
        return;
    }
    constexpr std::size_t most_digits = 18;
    if (from.size() > most_digits) throw wrong_usage(fmt::format("--from {}: no event has such a number", from));
    asked.first = std::stoll(from);
}

operate::backfill_request to_request(const backfill_arguments& given, date_time now) {
    operate::backfill_request asked{.broker = given.broker,
                                    .database = given.database,
                                    .types = given.types,
                                    .streams = given.streams,
                                    .rate = static_cast<double>(given.rate.value_or(0))};
    read_from(given.from, asked, now);
    return asked;
}

double share_of(const store::backfill& one) {
    const auto all = one.upto - one.order.after;
    return all == 0 ? 1 : static_cast<double>(one.position - one.order.after) / static_cast<double>(all);
}

tone tone_of(backfill_state state) {
    switch (state) {
        case backfill_state::done:
            return tone::good;
        case backfill_state::paused:
            return tone::caution;
        default:
            return tone::plain;
    }
}

void print(const session& in, const std::vector<located_backfill>& found) {
    table listing{{{"DATABASE"},
                   {"BROKER"},
                   {"STATE"},
                   {"PROGRESS", alignment::right},
                   {"AT", alignment::right},
                   {"OF", alignment::right},
                   {"GIVEN", alignment::right},
                   {"RATE", alignment::right},
                   {"BEGUN"}}};
    for (const auto& [database, one] : found) {
        const bool waits = one.waits && one.state == backfill_state::running;
        listing.add({database, one.order.broker,
                     cell{waits ? "waits" : store::to_string(one.state), waits ? tone::caution : tone_of(one.state)},
                     fmt::format("{:.0f}%", 100 * share_of(one)), count_text(one.position), count_text(one.upto),
                     count_text(one.given), one.order.rate > 0 ? count_text(std::llround(one.order.rate)) + "/s" : "",
                     one.begun_at.to_string()});
    }
    in.out.print(listing.render(in.out));
    if (std::ranges::any_of(found, [](const located_backfill& each) {
            return each.what.waits && each.what.state == backfill_state::running;
        })) {
        in.out.print(
            "it begins when the lane works and all transactions have ended that wrote events when it was ordered; "
            "`sluice status` names open ones");
    }
}

void tell(const session& in, const std::vector<located_backfill>& found) {
    in.out.json() ? in.out.print_json(operate::to_json(found)) : print(in, found);
}

exit_code count(const session& in, const operate::loaded_application& loaded, const backfill_arguments& given,
                date_time now) {
    const auto counted = operate::count_backfill(loaded.declared->declared(), loaded.with, to_request(given, now));
    if (in.out.json()) {
        in.out.print_json(operate::to_json(counted));
        return exit_code::ok;
    }
    for (const auto& each : counted) {
        in.out.print(
            safe_lines(fmt::format("database {}: {} from number {} on would go to {}; {} there already, or "
                                   "meant for it anyway",
                                   each.database, count_of(each.found.events, "event"), each.after + 1, given.broker,
                                   count_of(each.found.known, "more is", "more are"))));
    }
    in.out.print("nothing was changed");
    return exit_code::ok;
}

/// The same as they are now.
std::vector<located_backfill> look_at(const installation& with, const std::vector<located_backfill>& begun) {
    std::vector<located_backfill> now = operate::list_backfills(with, begun.front().what.order.broker, 1);
    std::erase_if(now, [&](const located_backfill& each) {
        return std::ranges::none_of(begun, [&](const located_backfill& one) {
            return one.database == each.database && one.what.number == each.what.number;
        });
    });
    return now;
}

/// Until they have ended. They go on without this.
exit_code wait_for(const session& in, const installation& with, const std::vector<located_backfill>& begun,
                   stop_signals& stop) {
    constexpr std::chrono::milliseconds pause{500};
    const auto is_open = [](const located_backfill& each) { return store::holds_back(each.what.state); };
    const auto is_done = [](const located_backfill& each) { return each.what.state == backfill_state::done; };
    rewritten_line line;
    for (;;) {
        const auto found = look_at(with, begun);
        const auto open = std::ranges::find_if(found, is_open);
        if (open == found.end()) {
            line.clear();
            tell(in, found);
            return std::ranges::all_of(found, is_done) ? exit_code::ok : exit_code::failed;
        }
        line.update([&] {
            return fmt::format("{} {}  {}{} of {}", open->database, store::to_string(open->what.state),
                               share_bar(share_of(open->what)), count_text(open->what.position),
                               count_text(open->what.upto));
        });
        if (!stop.wait(pause)) continue;
        line.clear();
        in.out.warn("the backfill goes on; `sluice outbox backfills` shows how far it is");
        return exit_code::failed;
    }
}

exit_code change(const session& in, const backfill_arguments& given, date_time now) {
    if (static_cast<int>(given.pause) + static_cast<int>(given.resume) + static_cast<int>(given.cancel) > 1) {
        throw wrong_usage("--pause, --resume and --cancel contradict each other: give one of them");
    }
    if (given.chooses() || given.wait) {
        throw wrong_usage(
            "--pause, --resume and --cancel are about a backfill that is under way: of the options, only "
            "--rate goes with them");
    }
    const auto to = given.pause    ? backfill_state::paused
                    : given.resume ? backfill_state::running
                                   : backfill_state::cancelled;
    const std::optional<double> rate = given.rate ? std::optional{static_cast<double>(*given.rate)} : std::nullopt;
    const installation with = operate::open_installation(in.site);
    tell(in, operate::change_backfill(with, given.broker, to, rate, now));
    return exit_code::ok;
}

exit_code backfill(const session& in, const backfill_arguments& given) {
    const date_time now = system_clock().now();
    if (given.changes()) return change(in, given, now);
    const operate::loaded_application loaded = operate::load_application(in.site);
    if (given.dry_run) return count(in, loaded, given, now);
    std::optional<stop_signals> stop;
    if (given.wait) stop.emplace();  // before any other thread
    const auto begun = operate::begin_backfill(loaded.declared->declared(), loaded.with, to_request(given, now), now);
    if (stop) return wait_for(in, loaded.with, begun, *stop);
    tell(in, begun);
    return exit_code::ok;
}

exit_code list(const session& in, const backfill_arguments& given) {
    const installation with = operate::open_installation(in.site);
    const auto found = operate::list_backfills(with, given.broker, given.limit);
    if (found.empty() && !in.out.json()) {
        in.out.print("no backfills");
        return exit_code::ok;
    }
    tell(in, found);
    return exit_code::ok;
}

}  // namespace

void add_backfills(command& outbox) {
    const auto given = std::make_shared<backfill_arguments>();
    outbox.add("backfill", "Give a broker published events of before it was there; newer ones wait for them")
        .argument("BROKER", given->broker, "One of outbox.external_brokers")
        .option("--from", "SEQ|AGE|TIME", given->from,
                "From this number in the log on, or from then on: 24h, 2026-11-30T08:00:00Z; else from the beginning")
        .option("--type", "NAME", given->types, "Only these events: OrderShipped, Shop.Order*")
        .option("--stream", "STREAM", given->streams,
                "Only of these streams (shop::order-o-1) or categories (shop::order)")
        .option("--database", "NAME", given->database, "Only of this database")
        .number("--rate", given->rate, {1, 1'000'000},
                "Events per second in each database; else as fast as the lane can")
        .flag("--dry-run", given->dry_run, "Count them, and change nothing")
        .flag("--wait", given->wait, "Until all of them are the lane's")
        .flag("--pause", given->pause, "Let it rest, with everything that is newer")
        .flag("--resume", given->resume, "Go on, with another --rate if one is given")
        .flag("--cancel", given->cancel, "Give the lane no more of it; what is newer goes on")
        .runs(backfill, given);
    outbox.add("backfills", "List backfills, newest first, and how far they are")
        .optional_argument("BROKER", given->broker, "Only of this broker")
        .limit(given->limit)
        .runs(list, given);
}

}  // namespace sluice::cli
