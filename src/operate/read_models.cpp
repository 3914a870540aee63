#include "operate/read_models.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include <sluice/error.hpp>

#include "broker/broker.hpp"
#include "config/section.hpp"
#include "consume/broker_operations.hpp"
#include "operate/json_forms.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

/// By consumer group.
std::map<std::string, live_lag> lags_of(const commit::environment& env, const std::string& broker) {
    std::map<std::string, live_lag> lags;
    for (const broker::group_status& group : consume::open_broker_operations(env.parts(), broker)->groups()) {
        live_lag& lag = lags[group.group];
        lag.waiting += group.lag + group.pending;
        lag.dead += group.dead;
    }
    return lags;
}

/// Nothing when the broker is away, which the view then says.
std::optional<std::map<std::string, live_lag>> try_lags_of(const commit::environment& env, read_models_view& view) {
    const std::string& name = env.configuration().outbox.broker;
    try {
        return lags_of(env, name);
    } catch (const broker_error& e) {
        view.broker_away = outage{outage::kind::broker, name, e.what()};
        return std::nullopt;
    }
}

read_model_view view_of(const commit::environment& env, projection::read_model_state state) {
    read_model_view view{.state = std::move(state)};
    const auto session = env.parts().databases.at(view.state.database)->open_read_models();
    view.head = session->end_of_log().head;
    if (view.state.table != projection::table_state::absent) {
        view.rows = session->count_rows({&view.state.projector->table, view.state.status.generation});
    }
    return view;
}

json::value view_json(const read_model_view& view) {
    const auto& [projector, database, table, status] = view.state;
    json::value rebuild{};
    if (status.rebuild) {
        rebuild = json::object{{"generation", status.rebuild->generation},
                               {"position", status.rebuild->position},
                               {"head", view.head},
                               {"started_at", status.rebuild->started_at.to_string()},
                               {"updated_at", status.rebuild->updated_at.to_string()}};
    }
    return json::object{{"name", projector->table.name},
                        {"projector", projector->name},
                        {"database", database},
                        {"state", to_string(table)},
                        {"generation", status.generation},
                        {"rows", view.rows},
                        {"floor", status.floor},
                        {"rebuilt_at", time_or_null(status.rebuilt_at)},
                        {"waiting", view.lag ? json::value{view.lag->waiting} : json::value{}},
                        {"dead", view.lag ? json::value{view.lag->dead} : json::value{}},
                        {"rebuild", std::move(rebuild)}};
}

json::value result_json(const rebuild_result& result) {
    if (!result.report) return json::object{{"name", result.name}, {"finished", false}, {"error", result.error}};
    const projection::rebuild_report& report = *result.report;
    json::object unknown;
    for (const auto& [type, count] : report.unknown) unknown.append(type, count);
    return json::object{{"name", result.name},         {"finished", report.finished},
                        {"resumed", report.resumed},   {"generation", report.generation},
                        {"position", report.position}, {"events", report.events},
                        {"rows", report.rows},         {"unknown_types", std::move(unknown)},
                        {"seconds", result.seconds}};
}

}  // namespace

read_models_view list_read_models(commit::environment& env) {
    projection::look_up_readers(env);
    read_models_view found;
    const auto lags = try_lags_of(env, found);
    for (projection::read_model_state& state : projection::read_model_states(env.domain(), env.parts())) {
        read_model_view view = view_of(env, std::move(state));
        if (lags) {
            const auto lag = lags->find(env.reader_of(*view.state.projector));
            view.lag = lag == lags->end() ? live_lag{} : lag->second;
        }
        found.read_models.push_back(std::move(view));
    }
    return found;
}

std::vector<const detail::projector_entry*> projectors_of(const detail::registry& domain, const std::string& name) {
    std::vector<const detail::projector_entry*> chosen;
    std::vector<std::string> names;
    for (const detail::projector_entry& projector : domain.projectors) {
        names.push_back(projector.table.name);
        if (name.empty() || projector.table.name == name) chosen.push_back(&projector);
    }
    if (chosen.empty() && !name.empty()) {
        throw not_found(fmt::format("domain `{}` has no read model `{}`; {}", domain.name, name,
                                    config::did_you_mean(name, names, "it has", "it has none")));
    }
    return chosen;
}

projection::rebuild_report rebuild(commit::environment& env, const detail::projector_entry& projector, bool restart,
                                   projection::rebuild_host& host) {
    try {
        projection::projection_rebuild work{env, projector, restart};
        return work.run(host);
    } catch (const store::rebuild_superseded& e) {
        throw conflict("rebuild_superseded", e.what());
    }
}

json::value to_json(const read_models_view& view) {
    json::array all;
    for (const read_model_view& each : view.read_models) all.push_back(view_json(each));
    return json::object{{"read_models", std::move(all)}};
}

json::value to_json(const std::vector<rebuild_result>& results, bool interrupted) {
    json::array all;
    for (const rebuild_result& each : results) all.push_back(result_json(each));
    return json::object{{"read_models", std::move(all)}, {"interrupted", interrupted}};
}

}  // namespace sluice::operate
