#include "engine/schemas.hpp"

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "observe/log.hpp"
#include "projection/read_model_setup.hpp"

namespace sluice::engine {

void require_current_schemas(const detail::registry& domain, const config::configuration& configuration,
                             const commit::adapters& parts, std::string_view remedy) {
    for (const auto& [name, database] : parts.databases) {
        const store::schema_status schema = database->schema();
        if (schema.applied == schema.expected) {
            store::require_domain(database->history(), database->describe(), domain.normalized);
            continue;
        }
        const bool empty = schema.applied == 0;
        if (empty && !configuration.databases.at(name).kind->needs_setup()) {
            database->setup();
            database->claim(domain.normalized);
            observe::log(observe::level::info, "database.created", {{"database", name}, {"schema", schema.expected}});
            continue;
        }
        const std::string who = fmt::format("database {} ({})", name, database->describe());
        if (empty) throw store_error{fmt::format("{} has no Sluice tables; {}", who, remedy)};
        throw store_error{fmt::format(
            "{} has schema {}, but this build works with schema {}; {}", who, schema.applied, schema.expected,
            schema.applied < schema.expected ? remedy : "use the newer Sluice that set it up")};
    }
}

void set_up(const detail::registry& domain, const commit::adapters& parts) {
    for (const auto& [name, database] : parts.databases) {
        database->setup();
        database->claim(domain.normalized);
    }
    static_cast<void>(projection::create_read_models(domain, parts));
}

}  // namespace sluice::engine
