#include <fmt/format.h>

#include <algorithm>

#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/units.hpp"
#include "commit/stream_name.hpp"
#include "config/printable.hpp"
#include "config/section.hpp"
#include "operate/json_forms.hpp"
#include "process/transition.hpp"

namespace sluice::cli {

namespace {

using detail::process_entry;

struct processes_arguments {
    std::string process;
    std::string correlation;
    bool open_only = false;
    std::size_t limit = 100;
};

/// One instance as its last transition shows it.
struct instance {
    const process_entry* process = nullptr;
    std::string correlation;
    std::int64_t position = 0;
    date_time changed_at;
    process::process_transition last;
};

/// @throws failure (usage) for a name that no process manager has
std::vector<const process_entry*> chosen_processes(const detail::registry& declared, const std::string& wanted) {
    std::vector<const process_entry*> found;
    std::vector<std::string> names;
    for (const auto& [cpp_name, process] : declared.processes) {
        names.push_back(process.name);
        if (wanted.empty() || wanted == process.name || wanted == process.fqn) found.push_back(&process);
    }
    if (found.empty() && !wanted.empty()) {
        throw wrong_usage(fmt::format("domain `{}` has no process manager `{}`; {}", declared.name, wanted,
                                      config::did_you_mean(wanted, names, "process managers are", "it has none")));
    }
    return found;
}

store::database& database_of(const installation& with, const process_entry& process) {
    const auto found = with.parts.databases.find(process.database);
    if (found == with.parts.databases.end()) {
        throw configuration_error{
            fmt::format("process manager {} lives in database \"{}\", which is not configured; add [databases.{}]",
                        process.fqn, process.database, process.database)};
    }
    return *found->second;
}

instance read_instance(const process_entry& process, const store::stream_event& last) {
    return {.process = &process,
            .correlation = last.event.stream.substr(process.category.size() + 1),
            .position = last.position,
            .changed_at = last.event.created_at,
            .last = process::decode_transition(last)};
}

/// Adds instances, by correlation, until there are `limit`.
void add_instances(store::operations_session& operations, const process_entry& process,
                   const processes_arguments& given, std::vector<instance>& found) {
    constexpr std::size_t page = 200;
    std::string after;
    for (bool more = true; more;) {
        const std::vector<std::string> streams = operations.streams(process.category, after, page);
        more = streams.size() == page;
        for (const std::string& stream : streams) {
            if (found.size() == given.limit) return;
            after = stream;
            const auto last = operations.events({.stream = stream, .newest_first = true, .limit = 1});
            if (last.empty()) continue;
            instance one = read_instance(process, last.front());
            if (!given.open_only || !one.last.is_complete) found.push_back(std::move(one));
        }
    }
}

const char* state_of(const process::process_transition& last) { return last.is_complete ? "complete" : "open"; }

/// `deposit in 4m 59s, reminder overdue by 3s`
std::string timers_text(const process::process_transition& of, date_time now) {
    std::string text;
    for (const auto& [name, timer] : of.timers) {
        text += text.empty() ? "" : ", ";
        text += timer.due > now ? fmt::format("{} in {}", name, age_text(timer.due - now))
                                : fmt::format("{} overdue by {}", name, age_text(now - timer.due));
    }
    return text;
}

json::value timers_json(const process::process_transition& of) {
    json::array timers;
    for (const auto& [name, timer] : of.timers) {
        timers.push_back(json::object{{"name", name}, {"due", timer.due.to_string()}, {"message_id", timer.id}});
    }
    return timers;
}

json::object as_json(const instance& of) {
    return {{"process", of.process->fqn},
            {"correlation", of.correlation},
            {"stream", commit::stream_of(of.process->category, of.correlation)},
            {"state", state_of(of.last)},
            {"steps", of.position + 1},
            {"last_step", of.last.handler_name},
            {"changed_at", of.changed_at.to_string()},
            {"timers", timers_json(of.last)}};
}

exit_code list_processes(const session& in, const processes_arguments& given) {
    const std::unique_ptr<domain> declared = operate::load_domain(in.site);
    const installation with = operate::open_installation(in.site);
    std::vector<instance> found;
    for (const process_entry* process : chosen_processes(declared->declared(), given.process)) {
        add_instances(*database_of(with, *process).open_operations(), *process, given, found);
    }
    if (in.out.json()) {
        json::array all;
        for (const instance& each : found) all.push_back(as_json(each));
        in.out.print_json(json::object{{"processes", std::move(all)}});
    } else if (found.empty()) {
        in.out.print(given.open_only ? "no open processes" : "no processes");
    } else {
        table listing{{{"PROCESS"},
                       {"CORRELATION"},
                       {"STATE"},
                       {"STEPS", alignment::right},
                       {"LAST STEP"},
                       {"AGE", alignment::right},
                       {"TIMERS"}}};
        const date_time now = system_clock().now();
        for (const instance& each : found) {
            listing.add({each.process->fqn, each.correlation, state_of(each.last), count_text(each.position + 1),
                         each.last.handler_name, age_text(now - each.changed_at), timers_text(each.last, now)});
        }
        in.out.print(listing.render(in.out));
        if (found.size() == given.limit) in.out.print("\nthere may be more (--limit)");
    }
    return exit_code::ok;
}

void print_history(const session& in, const std::vector<store::stream_event>& history, date_time now) {
    table steps{{{"STEP", alignment::right}, {"AT"}, {"CAUSE"}, {"STATE"}, {"TIMERS"}}};
    for (const store::stream_event& each : history) {
        const process::process_transition transition = process::decode_transition(each);
        steps.add({std::to_string(each.position), each.event.created_at.to_string(), transition.handler_name,
                   state_of(transition), timers_text(transition, now)});
    }
    in.out.print(steps.render(in.out));
}

exit_code show_process(const session& in, const processes_arguments& given) {
    if (given.process.empty()) throw wrong_usage("PM is empty; `sluice processes list` shows the names");
    const std::unique_ptr<domain> declared = operate::load_domain(in.site);
    const process_entry& process = *chosen_processes(declared->declared(), given.process).front();
    const installation with = operate::open_installation(in.site);
    const std::string stream = commit::stream_of(process.category, given.correlation);
    auto history = database_of(with, process)
                       .open_operations()
                       ->events({.stream = stream, .newest_first = true, .limit = given.limit});
    if (history.empty()) {
        throw not_found(fmt::format("there is no process {} for `{}`; `sluice processes list --pm {}` shows them",
                                    process.fqn, given.correlation, process.name));
    }
    std::reverse(history.begin(), history.end());
    const instance found = read_instance(process, history.back());
    if (in.out.json()) {
        json::object result = as_json(found);
        result.set("data", found.last.state);
        json::array steps;
        for (const store::stream_event& each : history) {
            const process::process_transition transition = process::decode_transition(each);
            steps.push_back(json::object{{"position", each.position},
                                         {"at", each.event.created_at.to_string()},
                                         {"cause", transition.handler_name},
                                         {"is_complete", transition.is_complete},
                                         {"timers", timers_json(transition)},
                                         {"data", transition.state}});
        }
        result.set("history", std::move(steps));
        in.out.print_json(result);
        return exit_code::ok;
    }
    const date_time now = system_clock().now();
    for (const auto& [title, value] : std::initializer_list<std::pair<const char*, std::string>>{
             {"process", process.fqn},
             {"instance", found.correlation},
             {"state", state_of(found.last)},
             {"changed", found.changed_at.to_string() + " (" + age_text(now - found.changed_at) + " ago)"},
             {"timers", found.last.timers.empty() ? "none" : timers_text(found.last, now)}}) {
        in.out.print(fmt::format("{:<9} {}", title, config::printable(value)));
    }
    in.out.print("\nstate");
    in.out.print(indented(json::dump(found.last.state, json::style::pretty), 2));
    in.out.print("\nsteps");
    print_history(in, history, now);
    if (history.front().position > 0) in.out.print("\nolder steps are left out (--limit)");
    return exit_code::ok;
}

}  // namespace

void add_processes(command& root) {
    const auto given = std::make_shared<processes_arguments>();
    command processes = root.add("processes", "Look at instances of process managers");
    processes.add("list", "List instances with their state and timers")
        .limit(given->limit)
        .option("--pm", "NAME", given->process, "Of this process manager only")
        .flag("--open", given->open_only, "Only those that are not complete")
        .runs(list_processes, given);
    processes.add("show", "Show one instance: its state, its steps, its timers")
        .limit(given->limit)
        .argument("PM", given->process, "The process manager")
        .argument("CORRELATION", given->correlation, "What its events have in common")
        .runs(show_process, given);
}

}  // namespace sluice::cli
