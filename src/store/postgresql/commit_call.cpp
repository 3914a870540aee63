#include "store/postgresql/commit_call.hpp"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

#include <sluice/error.hpp>

#include "store/inside_refusals.hpp"
#include "store/postgresql/history.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/server_time.hpp"
#include "store/row_refusals.hpp"
#include "store/text_list.hpp"
#include "store/unit_session.hpp"

namespace sluice::store::postgresql {
namespace {

// Each stream has a lock of its own, so writers of different streams never wait for each other. The server's lock table
// is small, and a transaction may write to any number of streams: it takes no more locks than the server reckons with
// for each (`max_locks_per_transaction`). What has no lock is kept in order by the unique index of the positions: of
// two writers of such a stream the second waits for the end of the first, and then fails and is repeated.
//
// The transaction has its own id before it draws a number: that is how a reader knows which gaps among the numbers can
// still be filled.
#define SLUICE_MOST_LOCKS "64"
#define SLUICE_KEY(stream) "hashtextextended(" stream ", '@event_log'::regclass::oid::bigint)"
#define SLUICE_LOCK(stream) "pg_advisory_xact_lock(" SLUICE_KEY(stream) ")"

// The next statement sees what whoever held the stream's lock before has committed. NULL locks nothing.
#define SLUICE_THEN_LOCK(stream) " RETURNING " SLUICE_LOCK(stream)
#define SLUICE_UNLESS_CHANGED(change, stream) \
    "WITH changed AS (" change SLUICE_THEN_LOCK(stream) " IS NULL) SELECT CASE WHEN NOT EXISTS (SELECT FROM changed)" \
    " THEN @sluice_refuse(0) END"

// The locks of an application's own transaction, which enqueues event by event, are counted with it.
constexpr auto lock_one_more_sql =
    "SELECT pg_current_xact_id(), CASE WHEN locked.streams < " SLUICE_MOST_LOCKS " THEN " SLUICE_LOCK(
        "$1") " END,"
    " CASE WHEN locked.streams < " SLUICE_MOST_LOCKS
    " THEN set_config('sluice.locked_streams', (locked.streams + 1)::text, true) END"
    " FROM (SELECT coalesce(nullif(current_setting('sluice.locked_streams', true), ''), '0')::integer AS streams) AS locked";

#define SLUICE_NEXT_POSITION(stream) \
    "coalesce((SELECT position + 1 FROM @event_log WHERE stream = " stream " ORDER BY position DESC LIMIT 1), 0)"

// Of the first broker's parameter; those of the others follow.
constexpr std::size_t first_broker = 9;

template <class Text>
std::string for_each_broker(std::size_t brokers, std::string_view between, const Text& text) {
    std::string all;
    for (std::size_t i = 0; i < brokers; ++i) {
        if (i > 0) all += between;
        all += text("$" + std::to_string(first_broker + i));
    }
    return all;
}

/// The brokers as the log knows them: NULL when one of them has no number.
std::string targets_of(std::size_t brokers) {
    if (brokers == 0) return "0";
    return for_each_broker(brokers, " | ", [](const std::string& broker) {
        return "(SELECT 1::bigint << number FROM @outbox_broker WHERE name = " + broker + ")";
    });
}

/// A broker whose lane sleeps is told; one that is awake looks by itself, and commits that notify wait for each other.
/// The lane sleeps only while it holds its lock alone, so a lock got here keeps it awake until this commit can be seen.
std::string wake_lanes(std::size_t brokers) {
    if (brokers == 0) return {};
    return " RETURNING " + for_each_broker(brokers, ", ", [](const std::string& broker) {
               return "CASE WHEN NOT pg_try_advisory_xact_lock_shared('@outbox'::regclass::oid::integer, hashtext(" +
                      broker + ")) THEN pg_notify(@sluice_channel(" + broker + "), 'rows') END";
           });
}

constexpr auto append_head =
    "INSERT INTO @event_log (message_id, stream, stream_category, position, type, created_at, data, metadata,"
    " priority, targets) ";
constexpr auto event_values = "$1, $2, $3, " SLUICE_NEXT_POSITION("$2") ", $4, $5, $6::json, $7::json, $8, ";

/// The rows of one kind by their key. Stable: a batch may insert and then update the same aggregate.
template <class Row, class Key>
std::vector<const Row*> sorted(const std::vector<Row>& rows, Key key) {
    std::vector<const Row*> in_order;
    in_order.reserve(rows.size());
    for (const auto& row : rows) in_order.push_back(&row);
    std::ranges::stable_sort(in_order, {}, [&key](const Row* row) { return key(*row); });
    return in_order;
}

}  // namespace

commit_statements::commit_statements(const std::string& schema)
    : mark{"sluice_mark", in_schema("INSERT INTO @inbox (message_id, handler, content, processed_at)"
                                    " VALUES ($1, $2, $3, $4 + " SLUICE_SHIFT("$5") ")",
                                    schema)},
      insert_state{"sluice_insert_state", in_schema("INSERT INTO @aggregate_state (aggregate, id, version, state)"
                                                    " VALUES ($1, $2, $3, $4::json)" SLUICE_THEN_LOCK("$5"),
                                                    schema)},
      update_state{"sluice_update_state",
                   in_schema(SLUICE_UNLESS_CHANGED("UPDATE @aggregate_state SET version = $3, state = $4::json"
                                                   " WHERE aggregate = $1 AND id = $2 AND version = $3 - 1",
                                                   "$5"),
                             schema)},
      remove_state{"sluice_remove_state",
                   in_schema(SLUICE_UNLESS_CHANGED("DELETE FROM @aggregate_state"
                                                   " WHERE aggregate = $1 AND id = $2 AND version = $3 - 1",
                                                   "$4"),
                             schema)},
      transaction{"sluice_transaction", "SELECT pg_current_xact_id()"},
      lock_stream{"sluice_lock_stream", in_schema("SELECT pg_current_xact_id(), " SLUICE_LOCK("$1"), schema)},
      lock_streams{
          "sluice_lock_streams",
          in_schema("SELECT pg_current_xact_id(), pg_advisory_xact_lock(lock) FROM (SELECT DISTINCT " SLUICE_KEY(
                        "stream") " AS lock FROM unnest($1::text[]) AS stream ORDER BY lock LIMIT " SLUICE_MOST_LOCKS
                                  ") AS locks",
                    schema)},
      lock_one_more{"sluice_lock_one_more", in_schema(lock_one_more_sql, schema)},
      check_position{"sluice_check_position",
                     in_schema("SELECT CASE WHEN head.next <> $2 THEN @sluice_refuse(head.next) END"
                               " FROM (SELECT " SLUICE_NEXT_POSITION("$1") " AS next) AS head",
                               schema)},
      next_position{"sluice_next_position", in_schema("SELECT " SLUICE_NEXT_POSITION("$1"), schema)},
      // A weak lock: it waits for a rebuild that lets another table take the place, not for one that moves on.
      require_generation{"sluice_require_generation",
                         in_schema("WITH held AS MATERIALIZED (SELECT 1 FROM @projection WHERE name = $1"
                                   " AND generation = $2 FOR KEY SHARE)"
                                   " SELECT CASE WHEN NOT EXISTS (SELECT FROM held) THEN @sluice_refuse(0) END",
                                   schema)},
      kept{schema},
      schema_{schema} {}

const statement& commit_statements::append(std::size_t brokers) {
    const auto [found, is_new] = appends_.try_emplace(brokers);
    if (is_new) {
        found->second = {"sluice_append_" + std::to_string(brokers),
                         in_schema(append_head + std::string{"VALUES ("} + event_values + targets_of(brokers) + ")" +
                                       wake_lanes(brokers),
                                   schema_)};
    }
    return found->second;
}

statement commit_statements::append_if_numbered(std::size_t brokers) const {
    return {"", in_schema(append_head + std::string{"SELECT "} + event_values + "known.targets FROM (SELECT " +
                              targets_of(brokers) + " AS targets) AS known WHERE known.targets IS NOT NULL" +
                              wake_lanes(brokers),
                          schema_)};
}

parameters values_of(const event_write& write) {
    const auto& event = write.event;
    parameters values{event.message_id, event.stream, event.stream_category, event.type,
                      event.created_at, event.data,   event.metadata,        std::int32_t{write.priority}};
    values.reserve(write.target_brokers.size(), 0);
    for (const auto& broker : write.target_brokers) values.add(broker);
    return values;
}

commit_call::commit_call(commit_statements& sql, const inside_statements& inside, const std::string& schema,
                         const commit_batch& batch, const std::string& server, const std::optional<date_time>& our_time)
    : sql_{sql}, inside_{inside}, schema_{schema}, server_{server}, batch_{batch}, our_time_{our_time} {}

bool is_number_in_use(const statement_error& refusal) noexcept {
    return refusal.sqlstate() == "23505" && refusal.constraint() == "event_log_pkey";
}

std::optional<std::size_t> commit_call::add_to(exchange& trip, bool tell) {
    std::optional<std::size_t> transaction;
    // Events come last, so what locks their streams can tell it.
    if (tell && batch_.events.empty()) transaction = tell_transaction(trip);
    const auto* const locked_with_state = tell ? nullptr : stream_behind_one_state();
    add_marks(trip);
    add_outcomes(trip);
    add_states(trip, locked_with_state);
    add_snapshots(trip);
    add_schedule(trip);
    add_fence(trip);
    add_rows(trip);
    add_kept(trip);
    if (batch_.events.empty()) return transaction;
    if (locked_with_state == nullptr) transaction = lock_streams(trip);
    if (tell) trip.flush();
    check_positions(trip);
    append_events(trip);
    return transaction;
}

std::size_t commit_call::tell_transaction(exchange& trip) {
    const auto place = trip.add(sql_.transaction);
    trip.flush();
    return place;
}

/// The usual command: one aggregate, its events, and nothing that is locked in between.
const std::string* commit_call::stream_behind_one_state() const noexcept {
    const bool is_last = batch_.snapshots.empty() && batch_.scheduled.empty() && batch_.cancelled.empty() &&
                         batch_.rows.empty() && !batch_.fence && !batch_.projection && !batch_.kept;
    if (batch_.states.size() != 1 || batch_.events.empty() || !is_last) return nullptr;
    const auto& stream = batch_.events.front().event.stream;
    const auto is_in = [&stream](const event_write& write) { return write.event.stream == stream; };
    return std::ranges::all_of(batch_.events, is_in) ? &stream : nullptr;
}

void commit_call::add_marks(exchange& trip) {
    const auto key = [](const inbox_mark& mark) { return std::tie(mark.message_id, mark.handler, mark.content); };
    for (const auto* mark : sorted(batch_.marks, key)) {
        add(trip, sql_.mark, parameters{mark->message_id, mark->handler, mark->content, batch_.at, our_time_}, mark);
    }
}

void commit_call::add_outcomes(exchange& trip) {
    const auto key = [](const command_outcome& outcome) { return std::string_view{outcome.key}; };
    for (const auto* outcome : sorted(batch_.outcomes, key)) {
        add(trip, inside_.write_outcome,
            parameters{outcome->key, outcome->command, outcome->fingerprint, outcome->succeeded, outcome->content,
                       outcome->expires_at, batch_.at, our_time_},
            outcome);
    }
}

void commit_call::add(exchange& trip, const statement& what, const parameters& with, subject about) {
    const auto place = trip.add(what, with);
    subjects_.resize(place + 1);
    subjects_[place] = about;
}

void commit_call::add_states(exchange& trip, const std::string* stream) {
    const auto to_lock = stream != nullptr ? std::optional{*stream} : std::nullopt;
    const auto key = [](const state_write& change) { return std::tie(change.aggregate, change.id); };
    for (const auto* change : sorted(batch_.states, key)) {
        const auto& [what, aggregate, id, version, state] = *change;
        if (what == state_write::operation::remove) {
            add(trip, sql_.remove_state, parameters{aggregate, id, version, to_lock}, change);
        } else {
            const bool is_new = what == state_write::operation::insert;
            add(trip, is_new ? sql_.insert_state : sql_.update_state,
                parameters{aggregate, id, version, state, to_lock}, change);
        }
    }
}

void commit_call::add_snapshots(exchange& trip) {
    const auto key = [](const snapshot_write& write) { return std::tie(write.aggregate, write.id); };
    for (const auto* write : sorted(batch_.snapshots, key)) {
        trip.add(inside_.write_snapshot,
                 parameters{write->aggregate, write->id, write->version, write->layout, write->state});
    }
}

/// Both kinds of change in one order, as they lock the same rows. A message is cancelled before it is written anew.
void commit_call::add_schedule(exchange& trip) {
    const auto id = [](const auto& change) { return std::string_view{change.id}; };
    const auto cancelled = sorted(batch_.cancelled, id);
    auto next = cancelled.begin();
    const auto cancel_up_to = [&](const std::string* last) {
        for (; next != cancelled.end() && (last == nullptr || (*next)->id <= *last); ++next) {
            const auto& [message, due] = **next;
            add(trip, due ? inside_.cancel_due : inside_.cancel, due ? parameters{message, *due} : parameters{message},
                *next);
        }
    };
    for (const auto* each : sorted(batch_.scheduled, id)) {
        cancel_up_to(&each->id);
        const auto& [event, priority, target_brokers, expected_position] = each->message;
        trip.add(inside_.schedule,
                 parameters{each->id, each->due, event.message_id, event.stream, event.stream_category, event.type,
                            event.data, event.metadata, event.created_at, std::int32_t{priority},
                            text_list(target_brokers), expected_position});
    }
    cancel_up_to(nullptr);
}

void commit_call::add_fence(exchange& trip) {
    if (!batch_.fence) return;
    add(trip, inside_.require_lease, parameters{batch_.fence->lane, batch_.fence->epoch}, &*batch_.fence);
}

void commit_call::add_rows(exchange& trip) {
    if (const auto& guard = batch_.projection) {
        add(trip, sql_.require_generation, parameters{guard->name, guard->generation}, &*guard);
    }
    const auto key = [](const row_write& write) {
        return std::tuple{std::string_view{write.table.layout->name}, write.table.generation,
                          std::string_view{write.key}};
    };
    for (const auto* write : sorted(batch_.rows, key)) {
        const auto [what, with] = write_statement(*write, schema_);
        add(trip, what, with, write);
    }
}

void commit_call::add_kept(exchange& trip) {
    if (!batch_.kept) return;
    const auto& [at, owner, name] = *batch_.kept;
    sql_.kept.lock(trip, at);
    sql_.kept.remove(trip, at, owner, {&name, 1});
}

std::size_t commit_call::lock_streams(exchange& trip) {
    std::size_t place = 0;
    if (batch_.events.size() == 1) {
        place = trip.add(sql_.lock_stream, parameters{batch_.events.front().event.stream});
    } else {
        array<std::string_view> streams;
        for (const auto& write : batch_.events) streams.push(std::string_view{write.event.stream});
        place = trip.add(sql_.lock_streams, parameters{streams});
    }
    return place;
}

/// All are checked before the first number is drawn: the events before one in its stream are counted here.
void commit_call::check_positions(exchange& trip) {
    std::map<std::string_view, std::int64_t> before;
    for (const auto& write : batch_.events) {
        const auto earlier = before[write.event.stream]++;
        if (!write.expected_position) continue;
        add(trip, sql_.check_position, parameters{write.event.stream, *write.expected_position - earlier}, &write);
    }
}

void commit_call::append_events(exchange& trip) {
    for (const auto& write : batch_.events) {
        add(trip, sql_.append(write.target_brokers.size()), values_of(write), &write);
    }
}

const event_write* commit_call::loser_of_race(const statement_error& refusal) const {
    if (refusal.sqlstate() != "23505" || refusal.constraint() != "event_log_position") return nullptr;
    if (refusal.place() >= subjects_.size()) return nullptr;
    const auto* const write = std::get_if<const event_write*>(&subjects_[refusal.place()]);
    return write != nullptr ? *write : nullptr;
}

bool commit_call::may_be_repeated(const statement_error& refusal) const {
    const auto* const write = loser_of_race(refusal);
    return write != nullptr && !write->expected_position;
}

std::vector<std::string> commit_call::brokers_without_number(const statement_error& refusal) const {
    if (refusal.sqlstate() != "23502" || refusal.place() >= subjects_.size()) return {};  // not_null_violation
    const auto* const write = std::get_if<const event_write*>(&subjects_[refusal.place()]);
    return write != nullptr ? (*write)->target_brokers : std::vector<std::string>{};
}

void commit_call::explain(const statement_error& refusal) const {
    if (const auto* const write = loser_of_race(refusal)) {
        if (write->expected_position) throw wrong_position(*write, std::to_string(*write->expected_position + 1));
        throw store_error{"stream " + write->event.stream + " has other writers, which were faster again and again",
                          error_nature::retryable};
    }

    static const subject nothing;
    const auto& about = refusal.place() < subjects_.size() ? subjects_[refusal.place()] : nothing;
    const bool is_taken = refusal.sqlstate() == "23505";  // unique_violation
    const bool is_refused = refusal.sqlstate() == "SL001";
    if (const auto* const change = std::get_if<const state_write*>(&about); change && (is_taken || is_refused)) {
        throw wrong_version(**change);
    }
    if (const auto* const mark = std::get_if<const inbox_mark*>(&about); mark && is_taken) {
        throw handled_before(**mark);
    }
    if (const auto* const outcome = std::get_if<const command_outcome*>(&about); outcome && is_refused) {
        throw key_in_use(**outcome);
    }
    if (const auto* const cancelled = std::get_if<const cancellation*>(&about); cancelled && is_refused) {
        throw not_due_any_more(**cancelled);
    }
    if (const auto* const fence = std::get_if<const lease_fence*>(&about); fence && is_refused) {
        throw epoch_is_over(**fence);
    }
    if (const auto* const guard = std::get_if<const projection_guard*>(&about); guard && is_refused) {
        throw generation_has_changed(**guard);
    }
    if (const auto* const row = std::get_if<const row_write*>(&about); row && (is_taken || is_refused)) {
        throw row_has_changed(**row);
    }
    if (const auto* const write = std::get_if<const event_write*>(&about)) {
        if (is_refused) throw wrong_position(**write, refusal.detail());
        if (is_taken && refusal.constraint() == "event_log_message_id") {
            throw logged_already((*write)->event);
        }
        // The event has nothing to do with it, and the next one fares no better.
        if (is_taken && is_number_in_use(refusal)) {
            throw store_error{behind_its_table(server_, schema_), error_nature::outage};
        }
    }
    throw refusal;
}

}  // namespace sluice::store::postgresql
