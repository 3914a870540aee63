#include "store/operations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "store/bare_type.hpp"
#include "store/discard_record.hpp"
#include "store/postgresql/audit_reader.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/inside_sql.hpp"
#include "store/postgresql/log_writers_sql.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/outbox_lines.hpp"
#include "store/postgresql/readable_json.hpp"
#include "store/postgresql/row_reader.hpp"
#include "store/postgresql/server_time.hpp"
#include "store/postgresql/sessions.hpp"
#include "store/row_sample.hpp"
#include "store/stream_names.hpp"

namespace sluice::store::postgresql {
namespace {

/// A select of the events that match a filter. Here only what is needed has a parameter.
/// @param is_stream  the filter's stream is one aggregate's: within it, position and number rise together
struct event_query {
    event_query(const event_filter& filter, bool is_stream);

    std::string select;
    parameters with;

private:
    /// @param condition  with `{}` for the value
    template <class Value>
    void require(std::string_view condition, const Value& value) {
        with.add(value);
        select += " AND " + fmt::format(fmt::runtime(condition), fmt::format("${}", with.count()));
    }
};

event_query::event_query(const event_filter& filter, bool is_stream)
    : select{fmt::format("SELECT {} FROM @event_log AS e WHERE e.seq > $1", event_columns)}, with{filter.after} {
    if (!filter.stream.empty()) require(is_stream ? "e.stream = {}" : "e.stream_category = {}", filter.stream);
    if (!filter.stream_categories.empty()) {
        require("e.stream_category = ANY ({})", array_of(filter.stream_categories));
    }
    if (is_bare_type(filter.type)) {
        require("split_part(e.type, '.', 2) = {}", filter.type);
    } else if (!filter.type.empty()) {
        require("e.type = {}", filter.type);
    }
    if (!filter.correlation_id.empty()) {
        require("(" + readable_json("e.metadata") + ") -> 'domain' ->> 'correlation_id' = {}", filter.correlation_id);
    }
    if (filter.upto) require("e.seq <= {}", *filter.upto);
    if (filter.created_from) require("e.created_at >= {}", *filter.created_from);
    if (filter.created_before) require("e.created_at < {}", *filter.created_before);
    with.add(static_cast<std::int64_t>(filter.limit));
    fmt::format_to(std::back_inserter(select), " ORDER BY {}{} LIMIT ${}", is_stream ? "e.position" : "e.seq",
                   filter.newest_first ? " DESC" : "", with.count());
}

class postgresql_operations_session final : public operations_session {
public:
    explicit postgresql_operations_session(shared_state& shared) : shared_{shared} {}

    std::map<std::string, outbox_counts> outbox_summary() override;
    std::vector<outbox_row> list(const outbox_filter& filter) override;
    std::optional<logged_event> event(std::string_view message_id) override;
    std::vector<stream_event> events(const event_filter& filter) override;
    std::vector<std::string> streams(std::string_view category, std::string_view after, std::size_t limit) override;
    std::vector<std::string> brokers() override { return outbox(*shared_.pool.borrow()).brokers(); }
    audit_page audit(std::string_view broker, sequence after, sequence upto) override {
        return read_audit_page(*shared_.pool.borrow(), shared_.options.schema, broker, after, upto);
    }
    std::vector<confirmation> confirmations(std::string_view broker, sequence after, sequence upto) override;
    std::vector<located_event> locate(const std::vector<std::string>& message_ids) override;
    void note_audit(std::string_view broker, const audit_note& note) override;
    audit_notes noted_audits() override;
    std::vector<lane_status> lanes() override;
    std::vector<open_writer> open_writers() override;
    std::size_t retry(const outbox_filter& filter) override;
    std::size_t discard(const outbox_filter& filter, std::string_view reason, date_time now) override;
    void look_again(std::string_view broker, sequence from) override {
        outbox(*shared_.pool.borrow()).look_again(broker, from);
    }
    void pause_lanes(std::string_view broker, const lane_pause& pause) override;
    bool resume_lanes(std::string_view broker) override;
    lane_pauses paused_lanes() override;
    std::size_t rename_handler(std::string_view from, std::string_view to) override;
    std::size_t forget_handler(std::string_view name) override;
    std::size_t purge_inbox(date_time before, std::size_t limit) override;
    std::size_t purge_outcomes(date_time before, std::size_t limit) override;

private:
    /// A statement that is not prepared: what operators ask for is asked rarely, or planned by its values.
    [[nodiscard]] statement sql(std::string_view text) const { return {"", in_schema(text, shared_.options.schema)}; }
    [[nodiscard]] result ask(connection& db, std::string_view text, const parameters& with = parameters{}) const;
    /// Facts about brokers in `sluice_meta`, by broker.
    [[nodiscard]] std::map<std::string, std::string> facts(std::string_view prefix);
    void set_fact(std::string_view prefix, std::string_view broker, std::string_view text);
    /// A filter's stream is one aggregate's or a category; each is found in its own way.
    [[nodiscard]] bool is_stream(connection& db, const std::string& stream) const;
    [[nodiscard]] outbox_lines outbox(connection& db) const { return outbox_lines{db, shared_.options.schema}; }

    shared_state& shared_;
};

result postgresql_operations_session::ask(connection& db, std::string_view text, const parameters& with) const {
    exchange trip{db};
    const auto place = trip.add(sql(text), with);
    trip.run();
    return trip.take(place);
}

std::map<std::string, outbox_counts> postgresql_operations_session::outbox_summary() {
    const auto db = shared_.pool.borrow();
    return outbox(*db).summary();
}

bool postgresql_operations_session::is_stream(connection& db, const std::string& stream) const {
    if (stream.empty()) return false;
    return ask(db, "SELECT EXISTS (SELECT FROM @event_log WHERE stream = $1)", parameters{stream}).boolean(0, 0);
}

std::vector<outbox_row> postgresql_operations_session::list(const outbox_filter& filter) {
    const auto db = shared_.pool.borrow();
    return outbox(*db).list(filter, is_stream(*db, filter.stream));
}

std::optional<logged_event> postgresql_operations_session::event(std::string_view message_id) {
    const auto db = shared_.pool.borrow();
    const auto found = ask(*db,
                           "SELECT message_id, stream, stream_category, type, data, metadata, created_at"
                           " FROM @event_log WHERE message_id = $1",
                           parameters{message_id});
    if (found.rows() == 0) return std::nullopt;
    return logged_event{.message_id = found.text(0, 0),
                        .stream = found.text(0, 1),
                        .stream_category = found.text(0, 2),
                        .type = found.text(0, 3),
                        .data = found.text(0, 4),
                        .metadata = found.text(0, 5),
                        .created_at = found.time(0, 6)};
}

std::vector<stream_event> postgresql_operations_session::events(const event_filter& filter) {
    const auto db = shared_.pool.borrow();
    const event_query query{filter, is_stream(*db, filter.stream)};
    const auto found = ask(*db, query.select, query.with);
    std::vector<stream_event> events;
    events.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) events.push_back(read_stream_event(found, row));
    return events;
}

std::vector<std::string> postgresql_operations_session::streams(std::string_view category, std::string_view after,
                                                                std::size_t limit) {
    const auto range = names_of_category(category, after);
    const auto db = shared_.pool.borrow();
    const auto found =
        ask(*db, streams_sql, parameters{category, range.after, range.before, static_cast<std::int64_t>(limit)});
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) names.push_back(found.text(row, 0));
    return names;
}

std::vector<lane_status> postgresql_operations_session::lanes() {
    const auto db = shared_.pool.borrow();
    const auto found = ask(*db,
                           "SELECT lane, owner, epoch, expires_at - " SLUICE_SHIFT("$1") ", mark, state, detail, published, refused, rate,"
                           " since, horizon, overtaken FROM @lease ORDER BY lane",
                           parameters{shared_.our_time()});
    std::vector<lane_status> all;
    for (int row = 0; row < found.rows(); ++row) {
        all.push_back({.lane = found.text(row, 0),
                       .owner = found.text(row, 1),
                       .epoch = static_cast<std::uint64_t>(found.integer(row, 2)),
                       .expires_at = found.time(row, 3),
                       .mark = found.integer(row, 4),
                       .state = found.text(row, 5),
                       .detail = found.text(row, 6),
                       .published = found.integer(row, 7),
                       .refused = found.integer(row, 8),
                       .rate = found.real(row, 9),
                       .since = found.time(row, 10),
                       .overtaken = found.integer(row, 12)});
        if (!found.null(row, 11)) all.back().horizon = found.integer(row, 11);
    }
    return all;
}

std::vector<open_writer> postgresql_operations_session::open_writers() {
    const auto db = shared_.pool.borrow();
    // A prepared transaction has no process; another user's session hides its start.
    const auto found = ask(*db, R"sql(
SELECT held.pid, extract(epoch FROM clock_timestamp() - session.xact_start)::float8, session.application_name,
       session.state
FROM (SELECT DISTINCT pid FROM pg_locks AS held WHERE )sql" SLUICE_WRITES_TO_LOG("held") R"sql() AS held
LEFT JOIN pg_stat_activity AS session ON session.pid = held.pid
ORDER BY session.xact_start NULLS LAST)sql");
    std::vector<open_writer> writers;
    for (int row = 0; row < found.rows(); ++row) {
        open_writer writer{.pid = static_cast<int>(found.integer(row, 0)),
                           .application = found.text(row, 2),
                           .state = found.text(row, 3)};
        if (!found.null(row, 1)) {
            writer.age = std::chrono::round<duration>(std::chrono::duration<double>{found.real(row, 1)});
        }
        writers.push_back(std::move(writer));
    }
    return writers;
}

std::size_t postgresql_operations_session::retry(const outbox_filter& filter) {
    const auto db = shared_.pool.borrow();
    return outbox(*db).retry(filter, is_stream(*db, filter.stream));
}

std::size_t postgresql_operations_session::discard(const outbox_filter& filter, std::string_view reason,
                                                   date_time now) {
    const auto db = shared_.pool.borrow();
    return outbox(*db).discard(filter, is_stream(*db, filter.stream),
                               {.error = discard_record(reason, now), .at = now, .our_time = shared_.our_time()});
}

void postgresql_operations_session::pause_lanes(std::string_view broker, const lane_pause& pause) {
    set_fact(pause_prefix, broker, to_text(pause));
}

void postgresql_operations_session::set_fact(std::string_view prefix, std::string_view broker, std::string_view text) {
    const auto db = shared_.pool.borrow();
    static_cast<void>(ask(*db,
                          "INSERT INTO @sluice_meta (key, value) VALUES ($1 || $2, $3)"
                          " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                          parameters{prefix, broker, text}));
}

std::map<std::string, std::string> postgresql_operations_session::facts(std::string_view prefix) {
    const auto db = shared_.pool.borrow();
    const auto found =
        ask(*db, "SELECT substr(key, length($1) + 1), value FROM @sluice_meta WHERE starts_with(key, $1)",
            parameters{prefix});
    std::map<std::string, std::string> all;
    for (int row = 0; row < found.rows(); ++row) all.emplace(found.text(row, 0), found.text(row, 1));
    return all;
}

bool postgresql_operations_session::resume_lanes(std::string_view broker) {
    const auto db = shared_.pool.borrow();
    return ask(*db, "DELETE FROM @sluice_meta WHERE key = $1 || $2", parameters{pause_prefix, broker}).affected() > 0;
}

std::vector<confirmation> postgresql_operations_session::confirmations(std::string_view broker, sequence after,
                                                                       sequence upto) {
    return read_confirmations(*shared_.pool.borrow(), shared_.options.schema, broker, after, upto);
}

std::vector<located_event> postgresql_operations_session::locate(const std::vector<std::string>& message_ids) {
    const auto db = shared_.pool.borrow();
    const auto found = ask(*db, "SELECT message_id, seq, stream FROM @event_log WHERE message_id = ANY ($1)",
                           parameters{array_of(message_ids)});
    std::vector<located_event> all;
    all.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) {
        all.push_back({.message_id = found.text(row, 0), .seq = found.integer(row, 1), .stream = found.text(row, 2)});
    }
    return all;
}

void postgresql_operations_session::note_audit(std::string_view broker, const audit_note& note) {
    set_fact(audit_prefix, broker, to_text(note));
}

audit_notes postgresql_operations_session::noted_audits() {
    audit_notes notes;
    for (const auto& [broker, text] : facts(audit_prefix)) {
        if (const auto note = audit_note_from(text)) notes.emplace(broker, *note);
    }
    return notes;
}

lane_pauses postgresql_operations_session::paused_lanes() {
    lane_pauses pauses;
    for (const auto& [broker, text] : facts(pause_prefix)) pauses[broker] = pause_from(text);
    return pauses;
}

std::size_t postgresql_operations_session::rename_handler(std::string_view from, std::string_view to) {
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto place = trip.add(sql("WITH moved AS (DELETE FROM @inbox WHERE handler = $1"
                                    " RETURNING message_id, content, processed_at), kept AS (INSERT INTO @inbox"
                                    " (message_id, handler, content, processed_at)"
                                    " SELECT message_id, $2, content, processed_at FROM moved"
                                    " ON CONFLICT DO NOTHING) SELECT count(*) FROM moved"),
                                parameters{from, to});
    trip.add(sql("DELETE FROM @lease WHERE lane = 'sequential/' || $1"), parameters{from});
    trip.add(sql("UPDATE @projection SET reader = $2 WHERE reader = $1"), parameters{from, to});
    trip.run();
    return static_cast<std::size_t>(trip[place].integer(0, 0));
}

std::size_t postgresql_operations_session::forget_handler(std::string_view name) {
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto place = trip.add(sql("DELETE FROM @inbox WHERE handler = $1"), parameters{name});
    trip.add(sql("DELETE FROM @lease WHERE lane = 'sequential/' || $1"), parameters{name});
    trip.run();
    return trip[place].affected();
}

std::size_t postgresql_operations_session::purge_inbox(date_time before, std::size_t limit) {
    const auto db = shared_.pool.borrow();
    return ask(*db,
               "DELETE FROM @inbox WHERE (message_id, handler, content) IN (SELECT message_id, handler, content FROM "
               "@inbox"
               " WHERE processed_at < $1::timestamptz + " SLUICE_SHIFT("$3") " ORDER BY processed_at LIMIT $2)",
               parameters{before, static_cast<std::int64_t>(limit), shared_.our_time()})
        .affected();
}

/// Each row is looked at again when it is locked: a key that expired may belong to another command by then. Rows that
/// are locked are passed over, so that this never waits for a unit that waits for this.
std::size_t postgresql_operations_session::purge_outcomes(date_time before, std::size_t limit) {
    const auto db = shared_.pool.borrow();
    return ask(*db,
               "DELETE FROM @command_outcome WHERE key IN (SELECT key FROM @command_outcome"
               " WHERE expires_at < $1::timestamptz + " SLUICE_SHIFT(
                   "$3") " ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
               parameters{before, static_cast<std::int64_t>(limit), shared_.our_time()})
        .affected();
}

}  // namespace

std::unique_ptr<operations_session> make_operations_session(shared_state& shared) {
    return std::make_unique<postgresql_operations_session>(shared);
}

}  // namespace sluice::store::postgresql
