#include "store/postgresql/verdict_of_commit.hpp"

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/history.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/server_time.hpp"

namespace sluice::store::postgresql {
namespace {

std::optional<std::string> status_of(connection& db, gap_tracker::transaction_id transaction) {
    exchange trip{db};
    const auto place = trip.add({"", "SELECT pg_xact_status($1::text::xid8)"}, parameters{std::to_string(transaction)});
    try {
        trip.run();
    } catch (const statement_error&) {
        return std::nullopt;  // a number that this server has not reached: it is another server now
    }
    if (trip[place].null(0, 0)) return std::nullopt;
    return trip[place].text(0, 0);
}

bool is_gone(connection& db, const lost_commit& lost) {
    if (!lost.backend_start) return false;
    exchange trip{db};
    const auto place = trip.add({"",
                                 "SELECT NOT EXISTS (SELECT FROM pg_stat_get_activity(NULL)"
                                 " WHERE pid = $1 AND (backend_start IS NULL OR backend_start = $2))"},
                                parameters{std::int32_t{lost.backend}, *lost.backend_start});
    trip.run();
    return trip[place].boolean(0, 0);
}

/// A statement that answers with one boolean.
struct question {
    std::string_view sql;
    parameters with;
};

bool ask(connection& db, const std::string& schema, const question& what) {
    exchange trip{db};
    const auto place = trip.add({"", in_schema(what.sql, schema)}, what.with);
    trip.run();
    return trip[place].boolean(0, 0);
}

/// What is there exactly if the batch was committed.
std::optional<question> proof_of(const commit_batch& batch) {
    if (!batch.events.empty()) {
        // The id alone is no proof: a rival for the same version of the same aggregate makes an event of the same id.
        const auto& event = batch.events.front().event;
        return question{
            "SELECT EXISTS (SELECT FROM @event_log WHERE message_id = $1"
            " AND created_at = $2 AND data::text = $3 AND metadata::text = $4)",
            parameters{event.message_id, event.created_at, event.data, event.metadata}};
    }
    if (!batch.marks.empty()) {
        const auto& mark = batch.marks.front();
        return question{
            "SELECT EXISTS (SELECT FROM @inbox WHERE message_id = $1 AND handler = $2"
            " AND content = $3 AND " SLUICE_IS_OURS("processed_at", "$4") ")",
            parameters{mark.message_id, mark.handler, mark.content, batch.at}};
    }
    if (!batch.outcomes.empty()) {
        // Neither is the key: a rival with the same one had another time.
        const auto& outcome = batch.outcomes.front();
        return question{
            "SELECT EXISTS (SELECT FROM @command_outcome WHERE key = $1 AND command = $2"
            " AND fingerprint = $3 AND " SLUICE_IS_OURS("expires_at", "$4") " AND content::text = $5)",
            parameters{outcome.key, outcome.command, outcome.fingerprint, outcome.expires_at, outcome.content}};
    }
    if (!batch.snapshots.empty() && batch.states.empty() && batch.scheduled.empty() && batch.cancelled.empty()) {
        // Whoever wrote this version or a later one: the batch is done.
        const auto& snapshot = batch.snapshots.front();
        return question{"SELECT EXISTS (SELECT FROM @snapshot WHERE aggregate = $1 AND id = $2 AND version >= $3)",
                        parameters{snapshot.aggregate, snapshot.id, snapshot.version}};
    }
    return std::nullopt;
}

/// A scheduled message proves the commit when it is there; when it is not, it may have been released already.
bool is_scheduled(connection& db, const std::string& schema, const scheduled_message& wanted) {
    const auto& event = wanted.message.event;
    return ask(db, schema,
               {"SELECT EXISTS (SELECT FROM @scheduled WHERE id = $1 AND due_at = $2 AND message_id = $3"
                " AND created_at = $4 AND data::text = $5 AND metadata::text = $6)",
                parameters{wanted.id, wanted.due, event.message_id, event.created_at, event.data, event.metadata}});
}

std::optional<bool> has_traces(connection& db, const std::string& schema, const commit_batch& batch) {
    if (const auto proof = proof_of(batch)) return ask(db, schema, *proof);
    if (!batch.scheduled.empty() && is_scheduled(db, schema, batch.scheduled.front())) return true;
    return std::nullopt;
}

bool is_behind(connection& db, const std::string& schema, const state_write& change) {
    exchange trip{db};
    const auto place =
        trip.add({"", in_schema("SELECT coalesce(max(version), -1), coalesce(bool_or(state::text = $3), false)"
                                " FROM @aggregate_state WHERE aggregate = $1 AND id = $2",
                                schema)},
                 parameters{change.aggregate, change.id, change.state});
    trip.run();
    const auto version = trip[place].integer(0, 0);
    const bool is_written = change.what != state_write::operation::remove;
    if (is_written && version == change.version && !trip[place].boolean(0, 1)) return true;  // a rival's
    if (change.what == state_write::operation::remove) return version == change.version - 1;
    return version < change.version && (change.what == state_write::operation::insert || version >= 0);
}

/// Only asked for a batch that adds nothing which proves it.
std::optional<bool> is_behind(connection& db, const std::string& schema, const commit_batch& batch) {
    if (!batch.states.empty()) return is_behind(db, schema, batch.states.front());
    for (const auto& [id, due] : batch.cancelled) {
        if (!due) continue;  // there may have been none
        return ask(db, schema,
                   {"SELECT EXISTS (SELECT FROM @scheduled WHERE id = $1 AND due_at = $2)", parameters{id, *due}});
    }
    return std::nullopt;
}

}  // namespace

bool proves_itself(const commit_batch& batch) noexcept {
    return !batch.events.empty() || !batch.marks.empty() || !batch.outcomes.empty();
}

commit_verdict judge(const commit_evidence& found) noexcept {
    // What is there was committed, whatever else is known: ids, times and texts are this batch's own.
    if (found.standby) return commit_verdict::in_progress;  // it may become the server, or the server come back
    if (found.traces == true) return commit_verdict::committed;
    if (!found.other_server.empty()) return commit_verdict::unknown;
    const bool said_committed = found.transaction_status == "committed";
    // Both cannot be true on one server.
    if (said_committed && (found.traces == false || (!found.traces && found.behind == true))) {
        return commit_verdict::unknown;
    }
    if (!found.traces && said_committed) return commit_verdict::committed;
    const bool ended = found.backend_gone || found.transaction_status == "aborted" || said_committed;
    if (ended && found.traces == false) return commit_verdict::absent;
    if (found.transaction_status == "aborted") return commit_verdict::absent;
    if (ended && found.behind == true) return commit_verdict::absent;
    return ended ? commit_verdict::unknown : commit_verdict::in_progress;
}

commit_evidence collect_evidence(connection& db, const std::string& schema, const lost_commit& lost,
                                 const commit_batch& batch) {
    commit_evidence found;
    found.other_server = difference_between(lost.server, ask_server(db, found.standby));
    if (found.standby) return found;
    // First whether it has ended, then what is there: the other way round it could commit in between.
    if (lost.transaction) found.transaction_status = status_of(db, *lost.transaction);
    found.backend_gone = is_gone(db, lost);
    found.traces = has_traces(db, schema, batch);
    if (!found.traces) found.behind = is_behind(db, schema, batch);
    return found;
}

}  // namespace sluice::store::postgresql
