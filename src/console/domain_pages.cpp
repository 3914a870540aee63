#include <fmt/format.h>

#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"
#include "domain/json_schema.hpp"
#include "operate/domain_view.hpp"
#include "operate/read_models.hpp"

namespace sluice::console {

namespace {

markup rebuild_of(const operate::read_model_view& view, date_time now) {
    const auto& rebuild = view.state.status.rebuild;
    if (!rebuild) return faint("–");
    const std::string label = fmt::format("rebuild of {}", view.state.projector->table.name);
    return progress_bar(rebuild->position, view.head, label) + " " +
           faint(fmt::format("generation {}, ", rebuild->generation)) + time_ago(rebuild->started_at, now);
}

http::http_answer show_read_models(const console& in, const visit& of) {
    const operate::read_models_view view = of.where->read_models();
    table list{"Read models"};
    list.column("Read model")
        .column("State")
        .column("Rows", true)
        .column("Waiting", true)
        .column("Dead", true)
        .column("Generation", true);
    list.column("Rebuild");
    if (may_act(of)) list.column("Action");
    for (const operate::read_model_view& each : view.read_models) {
        const std::string state = each.state.status.rebuild ? "rebuilding" : projection::to_string(each.state.table);
        const std::string& name = each.state.projector->table.name;
        std::vector<markup> cells{markup{name} + " " + faint(each.state.projector->name),
                                  state_badge(state),
                                  amount(each.rows),
                                  each.lag ? markup{amount(each.lag->waiting)} : faint("unknown"),
                                  each.lag ? markup{amount(each.lag->dead)} : faint("unknown"),
                                  each.state.status.generation,
                                  rebuild_of(each, in.now())};
        if (may_act(of)) {
            cells.push_back(change_form(target(path_in(of, {"read-models", name, "rebuild"})), of.form_token,
                                        button("Rebuild " + name, tone::plain)));
        }
        list.row(std::move(cells));
    }
    markup content;
    for (const auto& [name, why] : of.where->failed_rebuilds()) {
        content += notice(tone::bad, fmt::format("The last rebuild of {} failed.", name), why);
    }
    if (view.broker_away) {
        content += notice(tone::bad, view.broker_away->subject() + " does not answer.", view.broker_away->reason);
    }
    content += panel("Tables", list.render("The domain declares no read model."), "read-models");
    return page(in, of, {.title = "Read models", .section = "read-models", .content = content, .is_live = true});
}

http::http_answer rebuild_read_model(console& in, const visit& of) {
    const std::string& name = of.at("name");
    const std::string back = target(path_in(of, {"read-models"}));
    if (of.form.get("confirmed") != "yes") {
        return ask(
            in, of, "read-models",
            {.title = fmt::format("Rebuild {}?", name),
             .text = "All events of its projector are read once more into a new table, which takes the old one's "
                     "place in the end; until then the old one goes on. One that was interrupted is gone on with.",
             .to = of.request.path,
             .fields = of.form,
             .agree = "Rebuild",
             .cancel = back});
    }
    of.where->begin_rebuild(name);
    in.record(of, "read_models.rebuild", name, 1);
    return tell(in, of, "read-models", "Begun",
                fmt::format("{} is being rebuilt. The page of the read models shows how far it is.", name), back);
}

markup event_contract(const detail::registry& domain, const operate::declared_event& event) {
    markup content = facts({{"Type", code(event.type)},
                            {"Published", event.published ? badge(tone::good, "to partners") : faint("within")}});
    for (const auto& [cpp_name, entry] : domain.events) {
        if (entry.type != event.type || entry.fields == nullptr) continue;
        content += element(
            "details", element("summary", "JSON Schema of its data") + json_block(detail::json_schema(*entry.fields)));
    }
    return element("article", element("h3", event.name) + content);
}

http::http_answer show_contracts(const console& in, const visit& of) {
    const operate::declared_installation& declared = of.where->require_declared();
    const detail::registry& domain = declared.env->domain();
    const operate::domain_view view = operate::view_domain(domain, {});
    markup published;
    markup internal;
    for (const operate::declared_event& each : view.events) {
        (each.published ? published : internal) += event_contract(domain, each);
    }
    table handlers{"Handlers"};
    handlers.column("Handler").column("Group").column("Broker").column("Streams");
    for (const consume::route& each : declared.routes) {
        markup streams;
        for (const std::string& stream : each.streams) streams += code(stream) + " ";
        handlers.row({code(each.name), code(each.group), each.broker, streams});
    }
    table aggregates{"Aggregates"};
    aggregates.column("Aggregate").column("Stream").column("Database").column("Kept as");
    for (const auto& each : view.aggregates) {
        aggregates.row({each.name, code(each.stream), each.database, each.kept_as});
    }
    markup content = panel("Events for partners", published.empty() ? faint("None is published.") : published);
    content += panel("Events within", internal.empty() ? faint("There are none.") : internal);
    content += panel("Handlers", handlers.render("Nothing is read."));
    content += panel("Aggregates", aggregates.render("There are none."));
    return page(in, of, {.title = "Contracts", .section = "contracts", .content = content});
}

}  // namespace

void add_domain_pages(router& to, console& of) {
    const std::string path = "/console/contexts/{context}";
    to.add({.method = "GET", .path = path + "/read-models", .answer = [&of](const visit& by) {
                return show_read_models(of, by);
            }});
    to.add({.method = "POST",
            .path = path + "/read-models/{name}/rebuild",
            .needs = console_role::operating,
            .answer = [&of](const visit& by) { return rebuild_read_model(of, by); }});
    to.add({.method = "GET", .path = path + "/contracts", .answer = [&of](const visit& by) {
                return show_contracts(of, by);
            }});
}

}  // namespace sluice::console
