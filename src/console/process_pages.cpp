#include <fmt/format.h>

#include <algorithm>

#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"
#include "operate/processes.hpp"

namespace sluice::console {

namespace {

constexpr std::size_t instances_on_a_page = 50;
constexpr std::size_t most_steps = 200;

markup timers_of(const process::process_transition& of, date_time now) {
    markup list;
    for (const auto& [name, timer] : of.timers) {
        if (!list.empty()) list += ", ";
        list += code(name) + " " + time_ago(timer.due, now);
    }
    return list.empty() ? faint("–") : list;
}

http::http_answer show_processes(const console& in, const visit& of) {
    const operate::declared_installation& declared = of.where->require_declared();
    std::vector<std::pair<std::string, std::string>> words{{"", "any"}};
    for (const auto& [cpp_name, process] : declared.env->domain().processes) {
        words.emplace_back(process.name, process.name);
    }
    const bool all = of.query.get("state") != "open";
    const auto instances = operate::page_of_processes(
        declared.env->domain(), of.where->with(),
        {.process = of.query.get("process"), .open_only = !all, .limit = instances_on_a_page}, of.query.get("from"));
    table list{"Instances"};
    list.column("Process")
        .column("Correlation")
        .column("State")
        .column("Steps", true)
        .column("Last step")
        .column("Changed");
    list.column("Timers");
    for (const operate::process_view& each : instances.elements) {
        list.row({each.process,
                  link(target(path_in(of, {"processes", each.process, each.correlation})), each.correlation),
                  state_badge(operate::state_of(each.last.transition)), each.last.position + 1,
                  code(each.last.transition.handler_name), time_ago(each.last.at, in.now()),
                  timers_of(each.last.transition, in.now())});
    }
    markup content = search_form(
        target(path_in(of, {"processes"})),
        choice_field("process", "Process manager", words, of.query.get("process")) +
            choice_field("state", "State", {{"", "open and complete"}, {"open", "open"}}, of.query.get("state")));
    content += list.render(instances.is_cut_short ? "No instance was found yet."
                           : all                  ? "There is no instance."
                                                  : "No instance is open.");
    content += pager(path_in(of, {"processes"}), of.query, instances.next, instances.is_cut_short);
    return page(in, of, {.title = "Processes", .section = "processes", .content = content});
}

http::http_answer show_process(const console& in, const visit& of) {
    const operate::declared_installation& declared = of.where->require_declared();
    const auto history = operate::read_process(declared.env->domain(), of.where->with(), of.at("process"),
                                               of.at("correlation"), most_steps);
    const auto& last = history.instance.last;
    markup content = panel("State",
                           facts({{"Process", history.instance.process},
                                  {"Correlation", code(history.instance.correlation)},
                                  {"State", state_badge(operate::state_of(last.transition))},
                                  {"Timers", timers_of(last.transition, in.now())}}) +
                               json_block(in.hides().shown(last.transition.state, of.who.role)),
                           "state");
    markup steps;
    for (auto each = history.steps.rbegin(); each != history.steps.rend(); ++each) {
        markup text = element("strong", each->transition.handler_name) + " " + time_ago(each->at, in.now());
        if (each->transition.is_complete) text += " " + badge(tone::good, "complete");
        text += element("details", element("summary", fmt::format("State after step {}", each->position + 1)) +
                                       json_block(in.hides().shown(each->transition.state, of.who.role)));
        steps += element("li", text);
    }
    content += panel("History", element("ol", {{"class", "timeline"}}, steps));
    if (history.steps.size() == most_steps) {
        content += paragraph(faint(fmt::format("The newest {} steps are shown.", most_steps)));
    }
    return page(in, of,
                {.title = history.instance.process, .section = "processes", .content = content, .is_live = true});
}

}  // namespace

void add_process_pages(router& to, console& of) {
    const std::string path = "/console/contexts/{context}/processes";
    to.add({.method = "GET", .path = path, .answer = [&of](const visit& by) { return show_processes(of, by); }});
    to.add({.method = "GET", .path = path + "/{process}/{correlation}", .answer = [&of](const visit& by) {
                return show_process(of, by);
            }});
}

}  // namespace sluice::console
