#include "commit/read_model_setup.hpp"

#include <algorithm>

#include <sluice/error.hpp>

#include "config/providers.hpp"
#include "observe/log.hpp"

namespace sluice::commit {

namespace {

store::database& database_of(const detail::registry& domain, const adapters& parts,
                             const detail::projector_entry& projector) {
    const std::string& name = domain.database_of(projector);
    const auto found = parts.databases.find(name);
    if (found == parts.databases.end()) {
        throw configuration_error{"database `" + name + "` of read model " + projector.table.name +
                                  " is not configured; add [databases." + name + "] to domain.toml"};
    }
    return *found->second;
}

read_model_state state_of(const detail::registry& domain, const adapters& parts,
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
bool is_set_up_here(const environment& env, const std::string& database) {
    const auto& databases = env.configuration().databases;
    const auto found = databases.find(database);
    return found == databases.end() || config::is_embedded(found->second.provider);
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

std::vector<read_model_state> read_model_states(const detail::registry& domain, const adapters& parts) {
    std::vector<read_model_state> states;
    for (const detail::projector_entry& projector : domain.projectors) {
        states.push_back(state_of(domain, parts, projector));
    }
    std::ranges::sort(states, {}, [](const read_model_state& state) { return state.projector->table.name; });
    return states;
}

std::vector<std::string> create_read_models(const detail::registry& domain, const adapters& parts) {
    std::vector<std::string> made;
    for (const detail::projector_entry& projector : domain.projectors) {
        if (database_of(domain, parts, projector).open_read_models()->create(projector.table)) {
            made.push_back(projector.table.name);
        }
    }
    return made;
}

void require_read_models(environment& env) {
    std::string complaints;
    for (const detail::projector_entry& projector : env.domain().projectors) {
        if (is_set_up_here(env, env.domain().database_of(projector))) {
            database_of(env.domain(), env.parts(), projector).open_read_models()->create(projector.table);
        }
        const read_model_state state = state_of(env.domain(), env.parts(), projector);
        if (state.table == table_state::absent || state.table == table_state::outdated) {
            complaints += (complaints.empty() ? "" : "\n") + complaint_about(state);
        }
        if (state.table == table_state::incomplete) {
            observe::log(
                observe::level::warn, "projection.incomplete",
                {{"read_model", projector.table.name},
                 {"remedy", "its projector waits until you run: sluice projection rebuild " + projector.table.name}});
        }
    }
    if (!complaints.empty()) throw store_error{complaints};
}

}  // namespace sluice::commit
