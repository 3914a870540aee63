#include "operate/world_findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/amounts.hpp"
#include "base/backoff.hpp"

namespace sluice::operate {

namespace {

using base::age_text;
using base::count_of;
using config::finding;
using config::severity;

constexpr std::size_t most_told = 3;  ///< of one kind
constexpr double seconds_per_hour = 3600;

/// `default:partner`
std::string element_of(const lane_view& lane) { return lane.database + ":" + lane.broker; }

std::string because(const std::string& reason) { return reason.empty() ? "" : ": " + reason; }

/// Findings, in the order in which they are made.
class findings {
public:
    void error(std::string code, std::string element, std::string message, std::string remedy) {
        add(severity::error, std::move(code), std::move(element), std::move(message), std::move(remedy));
    }
    void warn(std::string code, std::string element, std::string message, std::string remedy) {
        add(severity::warning, std::move(code), std::move(element), std::move(message), std::move(remedy));
    }
    [[nodiscard]] std::vector<finding> take() { return std::move(all_); }

private:
    void add(severity level, std::string code, std::string element, std::string message, std::string remedy) {
        all_.push_back({.level = level,
                        .code = std::move(code),
                        .element = std::move(element),
                        .message = std::move(message),
                        .remedy = std::move(remedy)});
    }

    std::vector<finding> all_;
};

void tell_owner(const lane_view& lane, date_time now, findings& into) {
    std::size_t without = lane.state == "stopped" && lane.shards.empty() ? 1 : 0;
    for (const lane_view& shard : lane.shards) without += shard.state == "stopped" ? 1 : 0;
    if (without == 0) return;
    const std::string which =
        lane.shards.empty() ? "lane " + element_of(lane)
                            : fmt::format("{} of {} shards of lane {}", without, lane.shards.size(), element_of(lane));
    const char* const has = lane.shards.empty() ? "has" : "have";
    const std::string since = lane.since ? fmt::format("{} had no owner for {}", has, age_text(now - *lane.since))
                                         : std::string{has} + " no owner";
    into.error("LANE_WITHOUT_OWNER", element_of(lane),
               fmt::format("{} {}, and {} for it{}", which, since,
                           lane.depth() == 1 ? "1 row waits" : count_of(lane.depth(), "row") + " wait",
                           because(lane.last_detail())),
               "start an engine: sluice server --domain=…; when one runs, its log names what keeps it from the lane");
}

void tell_state(const lane_view& lane, findings& into) {
    if (lane.pause) {
        into.warn("LANE_AT_REST", element_of(lane),
                  fmt::format("an operator has paused lane {} at {}{}", element_of(lane), lane.pause->since.to_string(),
                              because(lane.pause->reason)),
                  "sluice lanes resume " + lane.broker);
    } else if (lane.state == "paused") {
        into.warn("LANE_PAUSED", element_of(lane),
                  fmt::format("lane {} cannot reach its broker{}", element_of(lane), because(lane.detail)),
                  "bring the broker back, or mend the connection; the lane goes on by itself");
    } else if (lane.state == "blocked") {
        into.warn("LANE_BLOCKED", element_of(lane),
                  fmt::format("streams of lane {} wait{}", element_of(lane), because(lane.detail)),
                  fmt::format("sluice outbox list --broker {} --status failed shows the reason of each row; "
                              "a transaction that holds the lane is named below",
                              lane.broker));
    } else if (lane.state == "lost") {
        into.error("LANE_LOST", element_of(lane),
                   fmt::format("the owner of lane {} has lost its lease{}", element_of(lane), because(lane.detail)),
                   "look at the log of its owner; another engine takes the lane");
    }
    const lane_rows rows = lane.rows.value_or(lane_rows{});
    if (rows.abandoned > 0) {
        into.warn("ROWS_ABANDONED", element_of(lane),
                  fmt::format("{} of lane {} given up",
                              rows.abandoned == 1 ? "1 row was" : count_of(rows.abandoned, "row") + " were",
                              element_of(lane)),
                  fmt::format("sluice outbox list --broker {0} --status abandoned shows why; then sluice outbox retry "
                              "--broker {0}",
                              lane.broker));
    }
}

std::string name_of(const store::open_writer& writer) {
    std::string text =
        writer.pid == 0 ? "a prepared transaction" : fmt::format("the transaction of process {}", writer.pid);
    std::string about = writer.application;
    if (!writer.state.empty()) about += (about.empty() ? "" : ", ") + writer.state;
    if (!about.empty()) text += " (" + about + ")";
    return text + (writer.age ? ", open for " + age_text(*writer.age) + "," : "");
}

void tell_gaps(const std::string& database, const held_lanes& held, findings& into) {
    std::size_t told = 0;
    for (const store::open_writer& writer : held.by) {
        if (told++ == most_told) break;
        const std::string message = fmt::format(
            "{} has written events and not ended: lanes {}", name_of(writer),
            held.strict ? "publish nothing above its numbers (strict_order)"
                        : "have gone past its numbers and keep a place for them, which costs more the longer it lasts");
        const std::string remedy =
            writer.pid == 0 ? "SELECT gid FROM pg_prepared_xacts, then COMMIT PREPARED or ROLLBACK PREPARED"
                            : fmt::format("end it in its program, or: SELECT pg_terminate_backend({})", writer.pid);
        if (held.strict) {
            into.error("GAP_HELD", "databases." + database, message, remedy);
        } else {
            into.warn("GAP_HELD", "databases." + database, message, remedy);
        }
    }
}

void tell_groups(const std::vector<located_group>& groups, findings& into) {
    std::map<std::pair<std::string, std::string>, std::int64_t> dead;  // by broker and group
    std::set<std::pair<std::string, std::string>> shared;              // by broker, names
    for (const auto& [broker, group] : groups) {
        if (group.dead > 0) dead[{broker, group.group}] += group.dead;
        if (!group.shared_name.empty()) shared.emplace(broker, group.shared_name);
    }
    for (const auto& [where, count] : dead) {
        into.warn("DEAD_LETTERS", where.second,
                  fmt::format("{} of {} on broker {}", count_of(count, "dead letter"), where.second, where.first),
                  fmt::format("sluice dlq list --group {0} shows why; then sluice dlq replay --group {0}, or purge",
                              where.second));
    }
    for (const auto& [broker, name] : shared) {
        into.error(
            "SHARED_NAME", "brokers." + broker,
            fmt::format("two processes are called {} on broker {}, and take each other's messages", name, broker),
            "give each host and container a host name of its own");
    }
}

/// A quarter of what there is, but no more than ten.
std::int64_t spare_connections(std::int64_t offered) {
    constexpr std::int64_t part = 4;
    constexpr std::int64_t enough = 10;
    return std::min(offered / part, enough);
}

}  // namespace

std::vector<finding> schema_findings(const schema_view& schema) {
    findings found;
    const std::string element = "databases." + schema.database;
    const auto& [applied, expected, pending] = schema.schema;
    const std::string which = fmt::format("database {} ({})", schema.database, schema.provider);
    if (applied == 0) {
        found.error("SCHEMA_MISSING", element, which + " is not set up", "sluice db setup");
    } else if (applied < expected) {
        found.error("SCHEMA_OUTDATED", element,
                    fmt::format("{} has schema {}, and this build needs {}", which, applied, expected),
                    "stop the engines of the former build, then: sluice db setup");
    } else if (applied > expected) {
        found.error("SCHEMA_NEWER", element,
                    fmt::format("{} has schema {}, and this build knows {}", which, applied, expected),
                    "use the build that has set it up, or a later one");
    }
    return found.take();
}

std::vector<finding> status_findings(const status_view& status) {
    findings found;
    for (const outage& each : status.outages) {
        if (each.what == outage::kind::database) {
            found.error("DATABASE_UNAVAILABLE", "databases." + each.name, each.reason,
                        "bring it back, or mend the connection; engines go on by themselves");
        } else {
            found.warn("BROKER_UNAVAILABLE", "brokers." + each.name, each.reason,
                       "bring it back, or mend the connection; lanes and subscriptions go on by themselves");
        }
    }
    for (const lane_view& each : status.lanes) {
        tell_owner(each, status.at, found);
        tell_state(each, found);
    }
    for (const auto& [database, held] : status.held) tell_gaps(database, held, found);
    tell_groups(status.groups, found);
    for (const overdue_schedule& each : status.overdue) {
        found.error(
            "SCHEDULE_OVERDUE", "databases." + each.database,
            fmt::format("{}{} of the schedule in database {} overdue, the first by {}",
                        each.messages == overdue_schedule::most ? "at least " : "",
                        each.messages == 1 ? "1 message is" : count_of(each.messages, "message") + " are",
                        each.database, age_text(status.at - each.since)),
            "start an engine; when one runs, its log says schedule.refused, .hindered or .paused with the reason");
    }
    return found.take();
}

std::vector<finding> server_findings(const std::string& database, const asked_server& asked) {
    constexpr duration tolerated = std::chrono::seconds{2};
    findings found;
    const std::string element = "databases." + database;
    const duration doubt = (asked.after - asked.before) / 2;
    const duration ahead = asked.state.now - (asked.before + doubt);
    const duration differs = (ahead < duration{0} ? -ahead : ahead) - std::max(doubt, duration{0});
    if (differs > tolerated) {
        found.warn("CLOCK_DIFFERS", element,
                   fmt::format("the clock of the server of database {} is {} {} that of this machine: ages and times "
                               "of events are wrong by as much; leases are not, the server's clock decides those",
                               database, age_text(ahead < duration{0} ? -ahead : ahead),
                               ahead < duration{0} ? "behind" : "ahead of"),
                   "set both by NTP (timedatectl status, chronyc tracking)");
    }
    if (asked.state.connections_open) {
        const std::int64_t left = asked.state.connections_offered - *asked.state.connections_open;
        if (left < spare_connections(asked.state.connections_offered)) {
            found.warn("FEW_CONNECTIONS_LEFT", element,
                       fmt::format("{} of the {} connections of the server of database {} are in use by all its "
                                   "clients: engines that start or connect again may be refused",
                                   *asked.state.connections_open, asked.state.connections_offered, database),
                       "raise max_connections of the server, or lower max_connections of the databases in domain.toml, "
                       "or put a pooler between");
        }
    }
    return found.take();
}

std::vector<finding> retention_findings(const config::outbox_settings& outbox, const kept_for_long& seen) {
    findings found;
    const auto& rules = outbox.cleanup;
    const duration patience = base::from_seconds(2 * rules.interval_seconds);
    std::map<std::string, const store::outbox_row*> late;  // by broker
    const duration kept = base::from_seconds(rules.published_retention_hours * seconds_per_hour);
    for (const store::outbox_row& row : seen.oldest) {
        if (row.status != store::row_status::published || !row.published_at) continue;
        if (seen.at - *row.published_at > kept + patience) late.emplace(row.target_broker, &row);
    }
    for (const auto& [broker, row] : late) {
        found.warn("RETENTION_BEHIND", seen.database + ":" + broker,
                   fmt::format("outbox rows of broker {} are kept for {}, and {} was published {} ago", broker,
                               age_text(kept), row->message_id, age_text(seen.at - *row->published_at)),
                   "the owner of the lane removes rows below its mark while it has nothing to send; see its log, and "
                   "what holds the mark: sluice status");
    }
    const auto is_owned = [&](const store::lane_status& each) {
        return each.lane.find(':') != std::string::npos && !each.owner.empty() && each.expires_at > seen.at;
    };
    const auto round = std::ranges::find(seen.leases, "maintenance", &store::lane_status::lane);
    if (round != seen.leases.end() && std::ranges::any_of(seen.leases, is_owned) &&
        seen.at - round->since > patience + std::chrono::minutes{1}) {
        found.warn("RETENTION_BEHIND", "databases." + seen.database,
                   fmt::format("inbox marks and outcomes of commands in database {} were last cleaned up {} ago",
                               seen.database, age_text(seen.at - round->since)),
                   "the log of the engines says engine.maintenance_failed with the reason");
    }
    return found.take();
}

}  // namespace sluice::operate
