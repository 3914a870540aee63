#include "operate/history_findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>

#include <sluice/error.hpp>

#include "broker/broker.hpp"
#include "envelope/version_suffix.hpp"
#include "store/lane_name.hpp"

namespace sluice::operate {

namespace {

using config::finding;
using config::severity;

constexpr std::size_t rows_looked_at = 2'000'000;
constexpr std::size_t most_messages_of_a_stream = 100;
constexpr std::size_t most_ids_told = 5;

constexpr const char* adopt_remedy =
    "after a restore, or a failover that lost commits: sluice db adopt; in a copy of a "
    "database that lives on: sluice db adopt --copy";

class look {
public:
    look(const detail::registry& domain, const commit::adapters& parts) : domain_{domain}, parts_{parts} {}

    std::vector<finding> at_all() {
        for (const auto& [name, database] : parts_.databases) {
            try {
                const store::schema_status schema = database->schema();
                if (schema.applied == 0 || schema.applied != schema.expected) continue;
                at_database(name, *database);
            } catch (const store_error&) {
                continue;  // told by those who need it
            }
        }
        return std::move(found_);
    }

private:
    void at_database(const std::string& name, store::database& database) {
        const store::database_history who = database.history();
        try {
            store::require_domain(who, database.describe(), domain_.normalized);
        } catch (const store_error& e) {
            return tell(severity::error, "FOREIGN_DOMAIN", "databases." + name, e.what(),
                        "give each domain a database or a schema of its own");
        }
        bool in_doubt = who.incarnation > 0;
        for (const store::history_fault& fault : database.faults(rows_looked_at)) {
            tell(fault.fatal ? severity::error : severity::warning, fault.code, fault.element, fault.message,
                 fault.remedy);
            in_doubt = true;
        }
        const auto session = database.open_operations();
        std::set<std::string> behind;  // brokers
        for (const store::lane_status& lane : session->lanes()) {
            if (is_behind(who, lane)) behind.emplace(store::broker_of(lane.lane));
        }
        for (const auto& [broker_name, broker] : parts_.brokers) {
            if (in_doubt || behind.contains(broker_name)) tell_lost_messages(broker_name, *broker, *session);
        }
    }

    bool is_behind(const store::database_history& who, const store::lane_status& lane) {
        const auto broker = parts_.brokers.find(std::string{store::broker_of(lane.lane)});
        if (broker == parts_.brokers.end() || away_.contains(broker->first)) return false;
        const broker::producer self{.name = who.identity + "/" + lane.lane, .epoch = lane.epoch, .owner = lane.owner};
        try {
            const auto last = broker->second->open_operations()->fence_of(self.name);
            if (!last || !broker::is_fenced(self, *last)) return false;
            tell(severity::warning, "BEHIND_BROKER", lane.lane,
                 fmt::format("broker {} knows a later owner of lane {} (epoch {}) than the database does ({}): the "
                             "database has lost a part of its history, or is a copy",
                             broker->first, lane.lane, last->epoch, lane.epoch),
                 adopt_remedy);
            return true;
        } catch (const broker_error&) {
            away_.insert(broker->first);
            return false;
        }
    }

    void tell_lost_messages(const std::string& name, broker::broker& broker, store::operations_session& log) {
        if (away_.contains(name)) return;
        std::set<std::string> categories;
        for (const auto& [cpp_name, aggregate] : domain_.aggregates) categories.insert(aggregate.category);
        try {
            const auto operations = broker.open_operations();
            for (const std::string& category : categories) {
                std::vector<std::string> unknown;
                for (const std::string& id : operations->newest_ids(category, most_messages_of_a_stream)) {
                    if (!log.event(envelope::origin_of(id).event_id)) unknown.push_back(id);
                }
                if (unknown.empty()) continue;
                const auto count = std::ssize(unknown);
                unknown.resize(std::min(unknown.size(), most_ids_told));
                tell(severity::warning, "UNKNOWN_TO_LOG", name + " " + category,
                     fmt::format(
                         "{} of the newest {} of stream {} on broker {} are not in the log of this database: {}{}",
                         count, most_messages_of_a_stream, category, name, fmt::join(unknown, ", "),
                         count > std::ssize(unknown) ? ", …" : ""),
                     "they were sent by a history that was lost, or by another deployment; partners have them");
            }
        } catch (const broker_error&) {
            return;  // it is away
        }
    }

    void tell(severity level, std::string code, std::string element, std::string message, std::string remedy) {
        found_.push_back({.level = level,
                          .code = std::move(code),
                          .element = std::move(element),
                          .message = std::move(message),
                          .remedy = std::move(remedy)});
    }

    const detail::registry& domain_;
    const commit::adapters& parts_;
    std::set<std::string> away_{};  ///< brokers that did not answer once: nobody waits for them again
    std::vector<finding> found_;
};

}  // namespace

std::vector<finding> history_findings(const detail::registry& domain, const commit::adapters& parts) {
    return look{domain, parts}.at_all();
}

}  // namespace sluice::operate
