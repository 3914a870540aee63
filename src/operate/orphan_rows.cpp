#include "operate/orphan_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/amounts.hpp"

namespace sluice::operate {

bool is_target(const config::outbox_settings& outbox, const std::string& broker) {
    const auto& external = outbox.external_brokers;
    return broker == outbox.broker || std::find(external.begin(), external.end(), broker) != external.end();
}

std::vector<orphan_rows> find_orphan_rows(const config::outbox_settings& outbox, const std::string& database,
                                          const std::map<std::string, store::outbox_counts>& summary) {
    std::vector<orphan_rows> found;
    for (const auto& [broker, counts] : summary) {
        std::int64_t open = 0;
        for (const auto& [status, count] : counts.by_status) open += store::is_open(status) ? count : 0;
        if (open > 0 && !is_target(outbox, broker)) found.push_back({database, broker, open});
    }
    return found;
}

config::finding to_finding(const orphan_rows& found) {
    return {.level = config::severity::warning,
            .code = "ORPHANED_ROWS",
            .element = found.database + ":" + found.broker,
            .message = fmt::format("{} outstanding in database {} for broker \"{}\", which the outbox no longer serves",
                                   base::count_of(found.open, "row"), found.database, found.broker),
            .remedy = fmt::format("list it in [outbox] again to have them sent, or give them up with: sluice outbox "
                                  "retire {}",
                                  found.broker)};
}

json::value to_json(const orphan_rows& found) {
    return json::object{{"database", found.database},
                        {"broker", found.broker},
                        {"rows", found.open},
                        {"remedy", to_finding(found).remedy}};
}

}  // namespace sluice::operate
