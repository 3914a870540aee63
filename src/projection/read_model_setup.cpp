#include "projection/read_model_setup.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <sluice/error.hpp>

#include "observe/log.hpp"

namespace sluice::projection {

namespace {

store::database& database_of(const detail::registry& domain, const commit::adapters& parts,
                             const detail::projector_entry& projector) {
    const std::string& name = domain.database_of(projector);
    const auto found = parts.databases.find(name);
    if (found == parts.databases.end()) {
        throw configuration_error{"database `" + name + "` of read model " + projector.table.name +
                                  " is not configured; add [databases." + name + "] to domain.toml"};
    }
    return *found->second;
}

read_model_state state_of(const detail::registry& domain, const commit::adapters& parts,
                          const detail::projector_entry& projector) {
    read_model_state state{.projector = &projector, .database = domain.database_of(projector)};
    for (store::projection_status& each : database_of(domain, parts, projector).open_read_models()->list()) {
        if (each.name != projector.table.name) continue;
        state.status = std::move(each);
        if (state.status.layout != projector.table.fingerprint) {
            state.table = table_state::outdated;
        } else {
            state.table = state.status.built ? table_state::current : table_state::incomplete;
        }
    }
    return state;
}

/// Nobody has to prepare these, nor what a test hands over without a configuration.
bool is_set_up_here(const commit::environment& env, const std::string& database) {
    const auto& databases = env.configuration().databases;
    const auto found = databases.find(database);
    return found == databases.end() || !found->second.kind->needs_setup();
}

std::string complaint_about(const read_model_state& state) {
    const std::string& name = state.projector->table.name;
    if (state.table == table_state::absent) {
        return "read model " + name + " has no table in database `" + state.database +
               "`; run `sluice db setup` with this domain";
    }
    return "the table of read model " + name + " has another layout than this build; run `sluice projection rebuild " +
           name + "`";
}

}  // namespace

const char* to_string(table_state state) noexcept {
    switch (state) {
        case table_state::current:
            return "current";
        case table_state::absent:
            return "absent";
        case table_state::outdated:
            return "outdated";
        case table_state::incomplete:
            return "incomplete";
    }
    return "unknown";
}

std::vector<read_model_state> read_model_states(const detail::registry& domain, const commit::adapters& parts) {
    std::vector<read_model_state> states;
    for (const detail::projector_entry& projector : domain.projectors) {
        states.push_back(state_of(domain, parts, projector));
    }
    std::ranges::sort(states, {}, [](const read_model_state& state) { return state.projector->table.name; });
    return states;
}

std::vector<std::string> create_read_models(const detail::registry& domain, const commit::adapters& parts) {
    std::vector<std::string> made;
    for (const detail::projector_entry& projector : domain.projectors) {
        const auto models = database_of(domain, parts, projector).open_read_models();
        if (models->create(projector.table)) made.push_back(projector.table.name);
        models->register_reader(projector.table.name, projector.name);
    }
    return made;
}

namespace {

/// The group that feeds the table from now on.
void settle_reader(commit::environment& env, const read_model_state& state) {
    const detail::projector_entry& projector = *state.projector;
    std::string reader = state.status.reader;
    if (reader.empty()) {
        const auto models = database_of(env.domain(), env.parts(), projector).open_read_models();
        models->register_reader(projector.table.name, projector.name);
        reader = projector.name;
        // Another process may have been first.
        for (const store::projection_status& each : models->list()) {
            if (each.name == projector.table.name) reader = each.reader;
        }
    }
    if (reader != projector.name) {
        observe::log(observe::level::info, "projection.keeps_its_group",
                     {{"read_model", projector.table.name},
                      {"projector", projector.name},
                      {"group", reader},
                      {"remedy",
                       "none is needed; to have the new name everywhere, stop the servers and run: sluice "
                       "subscriptions rename " +
                           reader + " " + projector.name}});
    }
    env.set_reader(projector.table.name, std::move(reader));
}

/// A new handler may have the name of a class whose group a read model has kept.
void require_own_groups(const commit::environment& env) {
    std::map<std::string, std::string> by_group;
    for (const auto& handler : env.domain().event_handlers) by_group.emplace(handler.name, "event handler");
    for (const auto& subscriber : env.domain().subscribers) by_group.emplace(subscriber.name, "subscriber");
    for (const auto& [cpp_name, process] : env.domain().processes) by_group.emplace(process.group, "process manager");
    for (const detail::projector_entry& projector : env.domain().projectors) {
        const std::string& group = env.reader_of(projector);
        const auto [other, is_new] = by_group.emplace(group, "read model " + projector.table.name);
        if (is_new) continue;
        throw configuration_error{"read model " + projector.table.name + " is fed by consumer group `" + group +
                                  "`, which is the name of another handler (" + other->second +
                                  "); give that one another .name, or stop the servers and run `sluice subscriptions "
                                  "rename " +
                                  group + " " + projector.name + "`"};
    }
}

}  // namespace

void look_up_readers(commit::environment& env) noexcept {
    try {
        for (const detail::projector_entry& projector : env.domain().projectors) {
            const store::schema_status schema = database_of(env.domain(), env.parts(), projector).schema();
            if (schema.applied != schema.expected) continue;
            const read_model_state state = state_of(env.domain(), env.parts(), projector);
            if (!state.status.reader.empty()) env.set_reader(projector.table.name, state.status.reader);
        }
    } catch (const std::exception& e) {
        observe::log(observe::level::debug, "projection.readers_unknown", {{"reason", e.what()}});
    }
}

void require_read_models(commit::environment& env) {
    std::string complaints;
    for (const detail::projector_entry& projector : env.domain().projectors) {
        if (is_set_up_here(env, env.domain().database_of(projector))) {
            database_of(env.domain(), env.parts(), projector).open_read_models()->create(projector.table);
        }
        const read_model_state state = state_of(env.domain(), env.parts(), projector);
        if (state.table == table_state::absent || state.table == table_state::outdated) {
            complaints += (complaints.empty() ? "" : "\n") + complaint_about(state);
        } else {
            settle_reader(env, state);
        }
        if (state.table == table_state::incomplete) {
            observe::log(
                observe::level::warn, "projection.incomplete",
                {{"read_model", projector.table.name},
                 {"remedy", "its projector waits until you run: sluice projection rebuild " + projector.table.name}});
        }
    }
    if (!complaints.empty()) throw store_error{complaints};
    require_own_groups(env);
}

}  // namespace sluice::projection
