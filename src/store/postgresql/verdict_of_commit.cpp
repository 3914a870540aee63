#include "store/postgresql/verdict_of_commit.hpp"

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/migrations.hpp"

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

std::optional<bool> has_traces(connection& db, const std::string& schema, const commit_batch& batch) {
    exchange trip{db};
    std::optional<std::size_t> place;
    if (!batch.events.empty()) {
        // The id alone is no proof: a rival for the same version of the same aggregate makes an event of the same id.
        const auto& event = batch.events.front().event;
        place = trip.add({"", in_schema("SELECT EXISTS (SELECT FROM @event_log WHERE message_id = $1"
                                        " AND created_at = $2 AND data::text = $3 AND metadata::text = $4)",
                                        schema)},
                         parameters{event.message_id, event.created_at, event.data, event.metadata});
    } else if (!batch.marks.empty()) {
        place = trip.add({"", in_schema("SELECT EXISTS (SELECT FROM @inbox WHERE message_id = $1 AND handler = $2"
                                        " AND processed_at = $3)",
                                        schema)},
                         parameters{batch.marks.front().message_id, batch.marks.front().handler, batch.at});
    }
    if (!place) return std::nullopt;
    trip.run();
    return trip[*place].boolean(0, 0);
}

/// Only asked for a batch of states alone.
std::optional<bool> are_behind(connection& db, const std::string& schema, const commit_batch& batch) {
    const auto& first = batch.states.front();
    exchange trip{db};
    const auto place = trip.add(
        {"", in_schema("SELECT coalesce((SELECT version FROM @aggregate_state WHERE aggregate = $1 AND id = $2), -1)",
                       schema)},
        parameters{first.aggregate, first.id});
    trip.run();
    const auto version = trip[place].integer(0, 0);
    if (first.what == state_write::operation::remove) return version == first.version - 1;
    return version < first.version && (first.what == state_write::operation::insert || version >= 0);
}

}  // namespace

commit_verdict judge(const commit_evidence& found) noexcept {
    // What is there was committed, whatever else is known: ids, times and texts are this batch's own.
    if (found.traces == true) return commit_verdict::committed;
    const bool said_committed = found.transaction_status == "committed";
    if (!found.traces && said_committed) return commit_verdict::committed;
    const bool ended = found.backend_gone || found.transaction_status == "aborted" || said_committed;
    if (ended && found.traces == false) return commit_verdict::absent;
    if (found.transaction_status == "aborted") return commit_verdict::absent;
    if (ended && found.states_behind == true) return commit_verdict::absent;
    return ended ? commit_verdict::unknown : commit_verdict::in_progress;
}

commit_evidence collect_evidence(connection& db, const std::string& schema, const lost_commit& lost,
                                 const commit_batch& batch) {
    commit_evidence found;
    // First whether it has ended, then what is there: the other way round it could commit in between.
    if (lost.transaction) found.transaction_status = status_of(db, *lost.transaction);
    found.backend_gone = is_gone(db, lost);
    found.traces = has_traces(db, schema, batch);
    if (!found.traces) found.states_behind = are_behind(db, schema, batch);
    return found;
}

}  // namespace sluice::store::postgresql
