#include <fmt/format.h>

#include <initializer_list>
#include <utility>

#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "operate/processes.hpp"

namespace sluice::cli {

namespace {

using operate::process_step;
using operate::process_view;

struct processes_arguments {
    operate::process_filter filter;
    std::string correlation;
};

/// `deposit in 4m 59s, reminder overdue by 3s`
std::string timers_text(const process_step& of, date_time now) {
    std::string text;
    for (const auto& [name, timer] : of.transition.timers) {
        text += text.empty() ? "" : ", ";
        text += timer.due > now ? fmt::format("{} in {}", name, age_text(timer.due - now))
                                : fmt::format("{} overdue by {}", name, age_text(now - timer.due));
    }
    return text;
}

void print(const session& in, const std::vector<process_view>& instances, std::size_t limit) {
    table listing{{{"PROCESS"},
                   {"CORRELATION"},
                   {"STATE"},
                   {"STEPS", alignment::right},
                   {"LAST STEP"},
                   {"AGE", alignment::right},
                   {"TIMERS"}}};
    const date_time now = system_clock().now();
    for (const auto& [process, correlation, stream, last] : instances) {
        listing.add({process, correlation, operate::state_of(last.transition), count_text(last.position + 1),
                     last.transition.handler_name, age_text(now - last.at), timers_text(last, now)});
    }
    in.out.print(listing.render(in.out));
    if (instances.size() == limit) in.out.print("\nthere may be more (--limit)");
}

exit_code list_processes(const session& in, const processes_arguments& given) {
    const std::unique_ptr<domain> declared = operate::load_domain(in.site);
    const installation with = operate::open_installation(in.site);
    const auto found = operate::list_processes(declared->declared(), with, given.filter);
    if (in.out.json()) {
        in.out.print_json(to_json(found));
    } else if (found.empty()) {
        in.out.print(given.filter.open_only ? "no open processes" : "no processes");
    } else {
        print(in, found, given.filter.limit);
    }
    return exit_code::ok;
}

void print_steps(const session& in, const std::vector<process_step>& steps, date_time now) {
    table listing{{{"STEP", alignment::right}, {"AT"}, {"CAUSE"}, {"STATE"}, {"TIMERS"}}};
    for (const process_step& each : steps) {
        listing.add({std::to_string(each.position), each.at.to_string(), each.transition.handler_name,
                     operate::state_of(each.transition), timers_text(each, now)});
    }
    in.out.print(listing.render(in.out));
}

void print(const session& in, const operate::process_history& history) {
    const auto& [process, correlation, stream, last] = history.instance;
    const date_time now = system_clock().now();
    for (const auto& [title, value] : std::initializer_list<std::pair<const char*, std::string>>{
             {"process", process},
             {"instance", correlation},
             {"state", operate::state_of(last.transition)},
             {"changed", last.at.to_string() + " (" + age_text(now - last.at) + " ago)"},
             {"timers", last.transition.timers.empty() ? "none" : timers_text(last, now)}}) {
        in.out.print(fmt::format("{:<9} {}", title, config::printable(value)));
    }
    in.out.print("\nstate");
    in.out.print(indented(json::dump(last.transition.state, json::style::pretty), 2));
    in.out.print("\nsteps");
    print_steps(in, history.steps, now);
    if (history.steps.front().position > 0) in.out.print("\nolder steps are left out (--limit)");
}

exit_code show_process(const session& in, const processes_arguments& given) {
    const auto& [process, open_only, limit] = given.filter;
    if (process.empty()) throw wrong_usage("PM is empty; `sluice processes list` shows the names");
    const std::unique_ptr<domain> declared = operate::load_domain(in.site);
    const installation with = operate::open_installation(in.site);
    const auto history = operate::read_process(declared->declared(), with, process, given.correlation, limit);
    if (in.out.json()) {
        in.out.print_json(to_json(history));
    } else {
        print(in, history);
    }
    return exit_code::ok;
}

}  // namespace

void add_processes(command& root) {
    const auto given = std::make_shared<processes_arguments>();
    command processes = root.add("processes", "Look at instances of process managers");
    processes.add("list", "List instances with their state and timers")
        .limit(given->filter.limit)
        .option("--pm", "NAME", given->filter.process, "Of this process manager only")
        .flag("--open", given->filter.open_only, "Only those that are not complete")
        .runs(list_processes, given);
    processes.add("show", "Show one instance: its state, its steps, its timers")
        .limit(given->filter.limit)
        .argument("PM", given->filter.process, "The process manager")
        .argument("CORRELATION", given->correlation, "What its events have in common")
        .runs(show_process, given);
}

}  // namespace sluice::cli
