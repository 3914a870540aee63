#include "operate/processes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "commit/stream_name.hpp"
#include "config/section.hpp"
#include "operate/json_forms.hpp"
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

/// Adds instances of one process manager, by correlation, until the page is full or its time is up; then `next` says
/// where the next one begins. One at least is looked at.
/// @param after  where it begins: behind this stream
void add_instances(store::operations_session& operations, const process_entry& process, const process_filter& filter,
                   std::string after, const std::function<bool()>& is_time_up, process_page& into) {
    constexpr std::size_t streams_at_once = 200;
    bool has_looked = false;
    for (bool more = true; more;) {
        const std::vector<std::string> streams = operations.streams(process.category, after, streams_at_once);
        more = streams.size() == streams_at_once;
        for (const std::string& stream : streams) {
            into.is_cut_short = has_looked && is_time_up();
            if (into.is_cut_short || into.elements.size() == filter.limit) {
                const auto correlation = after.empty() ? "" : after.substr(process.category.size() + 1);
                into.next = fmt::format("{} {}", process.fqn, correlation);
                return;
            }
            after = stream;
            has_looked = true;
            const auto last = operations.events({.stream = stream, .newest_first = true, .limit = 1});
            if (last.empty()) continue;
            process_view one = to_view(process, last.front());
            if (!filter.open_only || !one.last.transition.is_complete) into.elements.push_back(std::move(one));
        }
    }
}

/// @param from  `next` of the page before, `shop.Payment o-1`: the instance behind which it begins
process_page look_through(const detail::registry& domain, const installation& with, const process_filter& filter,
                          std::string_view from, const std::function<bool()>& is_time_up) {
    auto chosen = chosen_processes(domain, filter.process);
    std::string after;
    if (!from.empty()) {
        const auto blank = std::min(from.find(' '), from.size());
        const auto begin = std::ranges::find(chosen, from.substr(0, blank), &process_entry::fqn);
        if (begin == chosen.end() || blank == from.size()) {
            throw wrong_request(fmt::format("`{}` is no place where a page begins; take it from the page before",
                                            base::one_line(from, 60)));
        }
        after = commit::stream_of((*begin)->category, from.substr(blank + 1));
        chosen.erase(chosen.begin(), begin);
    }
    process_page page;
    for (const process_entry* process : chosen) {
        add_instances(*database_of(with, *process).open_operations(), *process, filter, std::exchange(after, {}),
                      is_time_up, page);
        if (!page.next.empty()) break;
    }
    return page;
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

json::array instances_json(const std::vector<process_view>& instances) {
    json::array all;
    for (const process_view& each : instances) all.push_back(view_json(each));
    return all;
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
    return look_through(domain, with, filter, {}, [] { return false; }).elements;
}

process_page page_of_processes(const detail::registry& domain, const installation& with, const process_filter& filter,
                               std::string_view from, const page_budget& budget) {
    const auto until = budget.now() + budget.time;
    return look_through(domain, with, filter, from, [&] { return budget.now() >= until; });
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
    return json::object{{"processes", instances_json(instances)}};
}

json::value to_json(const process_page& page) {
    return json::object{{"processes", instances_json(page.elements)}, {"next", text_or_null(page.next)}};
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
