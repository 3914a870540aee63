#include "config/check_connections.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>

#include "domain/databases.hpp"

namespace sluice::config {

namespace {

/// For units of work and operators, and for the maintenance, which uses two for a moment.
constexpr std::size_t to_be_left = 2;

/// What an engine keeps in one database, and the words for it.
struct kept_connections {
    std::size_t lanes = 0;
    std::size_t sequential = 0;
    std::string list{};  ///< `default 1, partner 4`

    [[nodiscard]] std::size_t all() const noexcept { return lanes + sequential; }
};

kept_connections kept_in(const std::string& database, const detail::registry& domain, const configuration& with) {
    kept_connections kept;
    const auto add = [&](const std::string& broker) {
        const int shards = with.outbox.shards_of(broker);
        kept.lanes += static_cast<std::size_t>(shards);
        kept.list += fmt::format("{}{} {}", kept.list.empty() ? "" : ", ", broker, shards);
    };
    if (detail::databases_with_lanes(domain).contains(database)) {
        add(with.outbox.broker);
        for (const std::string& broker : with.outbox.external_brokers) add(broker);
    }
    if (database == "default") {
        kept.sequential = static_cast<std::size_t>(
            std::ranges::count_if(domain.event_handlers, [](const auto& each) { return each.sequential(); }));
    }
    return kept;
}

}  // namespace

void check_connections(const detail::registry& domain, const configuration& with, std::vector<finding>& found) {
    for (const auto& [name, settings] : with.databases) {
        const auto most = settings.kind->most_connections(settings.options);
        const auto kept = kept_in(name, domain, with);
        if (!most || kept.all() == 0 || kept.all() + to_be_left <= *most) continue;
        const bool is_enough = kept.all() < *most;
        const auto handlers =
            kept.sequential == 0 ? std::string{} : fmt::format(" and {} for sequential handlers", kept.sequential);
        found.push_back(
            {.level = is_enough ? severity::warning : severity::error,
             .code = "TOO_FEW_CONNECTIONS",
             .element = "databases." + name,
             .message = fmt::format("max_connections of database \"{}\" is {}, and an engine keeps {} for its "
                                    "lanes (shards: {}){}, which leaves {} for units of work and operators",
                                    name, *most, kept.lanes, kept.list, handlers, is_enough ? "one" : "none"),
             .remedy = fmt::format("set max_connections to {} or more, or lower shards", kept.all() + to_be_left)});
    }
}

}  // namespace sluice::config
