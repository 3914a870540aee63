#include "operate/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <sluice/error.hpp>

#include "commit/stream_name.hpp"
#include "config/section.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

using detail::process_entry;

std::vector<const process_entry*> chosen_processes(const detail::registry& declared, const std::string& wanted) {
    std::vector<const process_entry*> found;
    std::vector<std::string> names;
    for (const auto& [cpp_name, process] : declared.processes) {
        names.push_back(process.name);
        if (wanted.empty() || wanted == process.name || wanted == process.fqn) found.push_back(&process);
    }
    if (found.empty() && !wanted.empty()) {
        throw wrong_request(fmt::format("domain `{}` has no process manager `{}`; {}", declared.name, wanted,
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

process_step to_step(const store::stream_event& from) {
    return {.position = from.position, .at = from.event.created_at, .transition = process::decode_transition(from)};
}

process_view to_view(const process_entry& process, const store::stream_event& last) {
    std::string correlation = last.event.stream.substr(process.category.size() + 1);
    std::string stream = commit::stream_of(process.category, correlation);
    return {.process = process.fqn,
            .correlation = std::move(correlation),
            .stream = std::move(stream),
            .last = to_step(last)};
}

/// Adds instances, by correlation, until there are `limit`.
void add_instances(store::operations_session& operations, const process_entry& process, const process_filter& filter,
                   std::vector<process_view>& found) {
    constexpr std::size_t page = 200;
    std::string after;
    for (bool more = true; more;) {
        const std::vector<std::string> streams = operations.streams(process.category, after, page);
        more = streams.size() == page;
        for (const std::string& stream : streams) {
            if (found.size() == filter.limit) return;
            after = stream;
            const auto last = operations.events({.stream = stream, .newest_first = true, .limit = 1});
            if (last.empty()) continue;
            process_view one = to_view(process, last.front());
            if (!filter.open_only || !one.last.transition.is_complete) found.push_back(std::move(one));
        }
    }
}

json::value timers_json(const process::process_transition& of) {
    json::array timers;
    for (const auto& [name, timer] : of.timers) {
        timers.push_back(json::object{{"name", name}, {"due", timer.due.to_string()}, {"message_id", timer.id}});
    }
    return timers;
}

json::object view_json(const process_view& of) {
    const process_step& last = of.last;
    return {{"process", of.process},
            {"correlation", of.correlation},
            {"stream", of.stream},
            {"state", state_of(last.transition)},
            {"steps", last.position + 1},
            {"last_step", last.transition.handler_name},
            {"changed_at", last.at.to_string()},
            {"timers", timers_json(last.transition)}};
}

json::value step_json(const process_step& step) {
    return json::object{{"position", step.position},
                        {"at", step.at.to_string()},
                        {"cause", step.transition.handler_name},
                        {"is_complete", step.transition.is_complete},
                        {"timers", timers_json(step.transition)},
                        {"data", step.transition.state}};
}

}  // namespace

const char* state_of(const process::process_transition& last) noexcept {
    return last.is_complete ? "complete" : "open";
}

std::vector<process_view> list_processes(const detail::registry& domain, const installation& with,
                                         const process_filter& filter) {
    std::vector<process_view> found;
    for (const process_entry* process : chosen_processes(domain, filter.process)) {
        add_instances(*database_of(with, *process).open_operations(), *process, filter, found);
    }
    return found;
}

process_history read_process(const detail::registry& domain, const installation& with, const std::string& process,
                             const std::string& correlation, std::size_t limit) {
    const process_entry& entry = *chosen_processes(domain, process).front();
    const std::string stream = commit::stream_of(entry.category, correlation);
    auto events =
        database_of(with, entry).open_operations()->events({.stream = stream, .newest_first = true, .limit = limit});
    if (events.empty()) {
        throw not_found(fmt::format("there is no process {} for `{}`; `sluice processes list --pm {}` shows them",
                                    entry.fqn, correlation, entry.name));
    }
    process_history history{.instance = to_view(entry, events.front())};
    std::ranges::reverse(events);
    for (const store::stream_event& each : events) history.steps.push_back(to_step(each));
    return history;
}

json::value to_json(const std::vector<process_view>& instances) {
    json::array all;
    for (const process_view& each : instances) all.push_back(view_json(each));
    return json::object{{"processes", std::move(all)}};
}

json::value to_json(const process_history& history) {
    json::object result = view_json(history.instance);
    result.set("data", history.instance.last.transition.state);
    json::array steps;
    for (const process_step& each : history.steps) steps.push_back(step_json(each));
    result.set("history", std::move(steps));
    return result;
}

}  // namespace sluice::operate
