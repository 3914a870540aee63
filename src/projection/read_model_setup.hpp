#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sluice/registry.hpp>

#include "commit/environment.hpp"

/// The tables of a domain's read models: are they there, and as this build needs them.
namespace sluice::projection {

enum class table_state {
    current,
    absent,     ///< `sluice db setup --domain=…` makes it
    outdated,   ///< of another layout: wants a rebuild
    incomplete  ///< events older than the table are not in it: wants a rebuild; its projector waits until then
};

/// `current`, `absent`, `outdated`, `incomplete`.
[[nodiscard]] const char* to_string(table_state state) noexcept;

struct read_model_state {
    const detail::projector_entry* projector = nullptr;
    std::string database;
    table_state table = table_state::absent;
    store::projection_status status{};  ///< empty while the table is absent
};

/// By the names of the read models. @throws store_error; configuration_error when a database is not configured
[[nodiscard]] std::vector<read_model_state> read_model_states(const detail::registry& domain,
                                                              const commit::adapters& parts);

/// Makes the tables that are absent, and indexes that are missing. Returns the names of the new ones.
std::vector<std::string> create_read_models(const detail::registry& domain, const commit::adapters& parts);

/// Before a domain runs: makes absent tables where the database is an embedded one, and refuses to go on when one is
/// absent elsewhere or of another layout. Warns of those that are incomplete.
///
/// Lets each read model be fed by the consumer group that its register names, and registers that of this build where
/// there is none: a projector that was renamed goes on where it was.
/// @throws store_error naming every such read model and the remedy; configuration_error when two handlers would share a
///         group
void require_read_models(commit::environment& env);

/// The second half for those that only look: what cannot be asked is passed over.
void look_up_readers(commit::environment& env) noexcept;

}  // namespace sluice::projection
