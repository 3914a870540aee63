#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/registry.hpp>

#include "commit/environment.hpp"
#include "operate/outage.hpp"
#include "projection/read_model_setup.hpp"
#include "projection/rebuild.hpp"

namespace sluice::operate {

/// What of the events is still on its way to a projector.
struct live_lag {
    std::int64_t waiting = 0;  ///< not handled yet
    std::int64_t dead = 0;
};

/// One read model: its table, how far it is, and a rebuild under way.
struct read_model_view {
    projection::read_model_state state;
    std::int64_t rows = 0;
    store::sequence head = 0;       ///< of the event log
    std::optional<live_lag> lag{};  ///< unknown while the broker is away
};

/// The read models of a domain.
struct read_models_view {
    std::vector<read_model_view> read_models{};
    std::optional<outage> broker_away{};  ///< so that nothing is known of what is on its way
};

/// Lets each read model be fed by the group that its register names. Lifetime: `env` must outlive the view.
/// @throws store_error, configuration_error
[[nodiscard]] read_models_view list_read_models(commit::environment& env);

/// @param name  empty: all of the domain
/// @throws request_error (not_found) with the names that there are
[[nodiscard]] std::vector<const detail::projector_entry*> projectors_of(const detail::registry& domain,
                                                                        const std::string& name);

/// Builds a read model anew from the event log.
/// @param restart  throw away what an interrupted rebuild has done
/// @throws request_error (conflict) when another process rebuilds it; decode_error, store_error
[[nodiscard]] projection::rebuild_report rebuild(commit::environment& env, const detail::projector_entry& projector,
                                                 bool restart, projection::rebuild_host& host);

/// What came of a rebuild.
struct rebuild_result {
    std::string name;
    std::optional<projection::rebuild_report> report{};  ///< none: it failed
    std::string error{};
    double seconds = 0;
};

[[nodiscard]] json::value to_json(const read_models_view& view);
/// @param interrupted  the last one was ended early
[[nodiscard]] json::value to_json(const std::vector<rebuild_result>& results, bool interrupted);

}  // namespace sluice::operate
