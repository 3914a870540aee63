#include "store/postgresql/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include <sluice/error.hpp>

#include "store/postgresql/ledger_sql.hpp"
#include "store/postgresql/long_transaction.hpp"
#include "store/postgresql/migrations.hpp"

namespace sluice::store::postgresql {
namespace {

const statement rights_question{
    "",
    "SELECT pg_is_in_recovery(), has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE'),"
    " has_function_privilege('pg_catalog.pg_current_wal_lsn()', 'EXECUTE')"
    " AND has_function_privilege('pg_catalog.pg_walfile_name(pg_lsn)', 'EXECUTE'),"
    " (extract(epoch FROM pg_postmaster_start_time()) * 1000)::bigint,"
    " coalesce(host(inet_server_addr()) || ':' || inet_server_port(), '')"};

constexpr std::size_t page_of_rows = 50'000;

result ask(connection& db, const statement& what, const parameters& with = parameters{}) {
    exchange trip{db};
    const auto place = trip.add(what, with);
    trip.run();
    return trip.take(place);
}

std::string text_of(const result& found, int row, int column) {
    return found.null(row, column) ? std::string{} : found.text(row, column);
}

constexpr auto signs_sql = R"sql(
SELECT (SELECT oid::bigint FROM pg_database WHERE datname = current_database()), '@event_log'::regclass::oid::bigint,
       coalesce((SELECT value::bigint FROM @sluice_meta WHERE key = 'incarnation'), 0))sql";

constexpr auto who_sql = R"sql(
SELECT (SELECT value FROM @sluice_meta WHERE key = 'identity'),
       coalesce((SELECT value FROM @sluice_meta WHERE key = 'domain'), ''), current_database()::text)sql";

constexpr auto open_rows_below_sql = R"sql(
SELECT count(*), min(seq) FROM @outbox_row
WHERE target_broker = $1 AND seq <= $2 AND )sql" SLUICE_OPEN_STATUS("status") " AND " SLUICE_CARRIES("stream", "$3",
                                                                                                     "$4");

// Of the numbers from above $5 up to $2: those that are meant for the broker, and of which nothing else is known.
constexpr auto open_events_below_sql = R"sql(
SELECT count(*), min(seq) FROM (
    SELECT e.seq FROM @event_log AS e
    WHERE e.seq > $5 AND e.seq <= $2 AND e.targets & )sql" SLUICE_BIT("$1") " <> 0 AND " SLUICE_CARRIES(
    "e.stream", "$3", "$4") R"sql(
      AND NOT EXISTS (SELECT FROM @outbox_row AS o WHERE o.target_broker = $1 AND o.seq = e.seq)
    EXCEPT )sql" SLUICE_LISTED("$1", "$5", "$2") ") AS open";

constexpr auto floor_sql = "SELECT " SLUICE_FLOOR("$1");

// Numbers in use come first: those that are drawn meanwhile are above them.
constexpr auto used_sql = R"sql(
SELECT greatest((SELECT max(seq) FROM @event_log), (SELECT max(mark) FROM @lease), 0),
       pg_get_serial_sequence('@event_log', 'seq'),
       has_sequence_privilege(pg_get_serial_sequence('@event_log', 'seq'), 'SELECT'))sql";

constexpr auto lanes_sql = "SELECT lane, broker, mark, history FROM @lease WHERE broker <> '' ORDER BY lane";

std::optional<history_fault> sequence_fault(connection& db, const std::string& schema, std::string_view server_name) {
    const auto used = ask(db, {"", in_schema(used_sql, schema)});
    if (used.null(0, 1) || !used.boolean(0, 2)) return std::nullopt;
    const auto next =
        ask(db, {"", "SELECT last_value + CASE WHEN is_called THEN 1 ELSE 0 END FROM " + used.text(0, 1)});
    if (next.integer(0, 0) > used.integer(0, 0)) return std::nullopt;
    return history_fault{
        .code = "SEQUENCE_BEHIND",
        .element = "event_log.seq",
        .message =
            fmt::format("{}: the sequence of the event log would hand out {} next, but the log and its lanes are "
                        "at {} already: events would be refused, or lie where no lane looks for them",
                        server_name, next.integer(0, 0), used.integer(0, 0)),
        .remedy = fmt::format("SELECT setval('{}', {}); a copy by logical replication leaves sequences behind",
                              used.text(0, 1), used.integer(0, 0)),
        .fatal = true};
}

}  // namespace

std::size_t server_questions::add_rights(exchange& trip) { return trip.add(rights_question); }

server_questions server_questions::from(const result& rights) {
    server_questions may;
    may.in_recovery_ = rights.boolean(0, 0);
    may.system_ = rights.boolean(0, 1);
    may.timeline_ = rights.boolean(0, 2);
    may.started_ = std::to_string(rights.integer(0, 3));
    may.address_ = rights.text(0, 4);
    return may;
}

history_stamp server_questions::ask(connection& db) const {
    history_stamp stamp;
    const std::string system = system_ ? "(SELECT system_identifier::text FROM pg_control_system())" : "NULL::text";
    const std::string timeline = timeline_ ? timeline_sql : "NULL::text";
    const auto found = postgresql::ask(db, {"", "SELECT " + system + ", " + timeline});
    if (!found.null(0, 0)) stamp.emplace("system", found.text(0, 0));
    if (!found.null(0, 1)) stamp.emplace("timeline", found.text(0, 1));
    if (!timeline_) stamp.emplace("started", started_);
    if (!address_.empty()) stamp.emplace("address", address_);
    return stamp;
}

history_stamp ask_server(connection& db, bool& in_recovery) {
    const auto may = server_questions::from(ask(db, rights_question));
    in_recovery = may.in_recovery();
    return may.ask(db);
}

history_stamp ask_history(connection& db, const std::string& schema, bool& in_recovery) {
    auto stamp = ask_server(db, in_recovery);
    const auto found = ask(db, {"", in_schema(signs_sql, schema)});
    stamp.emplace("database", std::to_string(found.integer(0, 0)));
    stamp.emplace("log", std::to_string(found.integer(0, 1)));
    stamp.emplace("incarnation", std::to_string(found.integer(0, 2)));
    return stamp;
}

database_history ask_who(connection& db, const std::string& schema, std::string_view server_name) {
    bool in_recovery = false;
    database_history who{.stamp = ask_history(db, schema, in_recovery)};
    const auto found = ask(db, {"", in_schema(who_sql, schema)});
    if (found.null(0, 0)) {
        throw store_error{std::string{server_name} + " has lost its identity (table sluice_meta); restore it"};
    }
    who.identity = found.text(0, 0);
    who.domain = text_of(found, 0, 1);
    who.incarnation = std::stoull(who.stamp.at("incarnation"));
    const auto system = who.stamp.find("system");
    const auto timeline = who.stamp.find("timeline");
    if (system != who.stamp.end() && timeline != who.stamp.end()) {
        who.place = fmt::format("{} schema {} system {}", server_name, schema, system->second);
        who.timeline = std::stoull(timeline->second);
    }
    return who;
}

open_below find_open_below(connection& db, const std::string& schema, std::string_view lane, sequence mark,
                           std::size_t most) {
    const auto part = shard_of(lane);
    const auto broker = broker_of(lane);
    const auto in = [&schema](const char* sql) { return statement{"", in_schema(sql, schema)}; };
    const parameters rows{broker, mark, std::int32_t{part.number}, std::int32_t{part.count}};
    open_below found;
    const auto add = [&found](const result& answer) {
        if (answer.integer(0, 0) == 0) return;
        const auto lowest = answer.integer(0, 1);
        found.lowest = found.count == 0 ? lowest : std::min(found.lowest, lowest);
        found.count += static_cast<std::size_t>(answer.integer(0, 0));
    };
    if (most > 0) add(ask(db, in(open_rows_below_sql), rows));  // they have an index of their own

    const auto known = ask(db, in(floor_sql), parameters{broker});
    if (known.null(0, 0)) return found;
    const auto floor = known.integer(0, 0);
    const auto page = in(open_events_below_sql);
    for (std::size_t looked_at = 0; mark > floor; looked_at += page_of_rows) {
        if (looked_at >= most) {
            found.looked_at_all = false;
            break;
        }
        const auto from = std::max(floor, mark - static_cast<sequence>(page_of_rows));
        add(ask(db, page, parameters{broker, mark, std::int32_t{part.number}, std::int32_t{part.count}, from}));
        mark = from;
    }
    return found;
}

void claim_domain(connection& db, const std::string& schema, std::string_view domain) {
    static_cast<void>(
        ask(db,
            {"", in_schema("INSERT INTO @sluice_meta (key, value) VALUES ('domain', $1) ON CONFLICT DO NOTHING"
                           " RETURNING 1",
                           schema)},
            parameters{domain}));
}

namespace {

/// Notes that an incarnation begins by itself. False when one has done so within the last hour.
bool may_begin_by_itself(long_transaction& writing, const std::string& schema) {
    const auto in = [&schema](const char* sql) { return statement{"", in_schema(sql, schema)}; };
    const auto recent =
        writing.run(in("SELECT EXISTS (SELECT FROM @sluice_meta WHERE key = 'adopted_by_itself'"
                       " AND to_timestamp(value::bigint) > clock_timestamp() - interval '1 hour')"));
    if (recent.boolean(0, 0)) return false;
    writing.run(
        in("INSERT INTO @sluice_meta (key, value)"
           " VALUES ('adopted_by_itself', floor(extract(epoch FROM clock_timestamp()))::bigint::text)"
           " ON CONFLICT (key) DO UPDATE SET value = excluded.value"));
    return true;
}

}  // namespace

adopted begin_incarnation(connection& db, const std::string& schema, const adoption& how) {
    const auto in = [&schema](const char* sql) { return statement{"", in_schema(sql, schema)}; };
    const auto lanes = ask(db, in(lanes_sql));
    std::vector<open_below> open;
    open.reserve(static_cast<std::size_t>(lanes.rows()));
    for (int row = 0; row < lanes.rows(); ++row) {
        open.push_back(find_open_below(db, schema, lanes.view(row, 0), lanes.integer(row, 2),
                                       std::numeric_limits<std::size_t>::max()));
    }

    adopted done;
    long_transaction writing{db};
    writing.run({"", "SELECT pg_advisory_xact_lock(hashtext('sluice_incarnation'), hashtext($1))"}, parameters{schema});
    if (how.by_itself && !may_begin_by_itself(writing, schema)) {
        done.refusal = "the database has begun a new incarnation by itself within the last hour";
        return done;
    }
    const auto next = writing.run(
        in("INSERT INTO @sluice_meta AS meta (key, value) VALUES ('incarnation',"
           " greatest(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, $1 + 1)::text)"
           " ON CONFLICT (key) DO UPDATE SET value = greatest(excluded.value::bigint, meta.value::bigint + 1)::text"
           " RETURNING value::bigint"),
        parameters{how.above});
    done.incarnation = static_cast<std::uint64_t>(next.integer(0, 0));
    if (how.copy) {
        writing.run(
            in("UPDATE @sluice_meta SET value = replace(gen_random_uuid()::text, '-', '')"
               " WHERE key = 'identity'"));
    }
    if (!how.domain.empty()) {
        writing.run(in("INSERT INTO @sluice_meta (key, value) VALUES ('domain', $1)"
                       " ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
                    parameters{how.domain});
    }
    // A new grant's epoch is one above.
    writing.run(in("UPDATE @lease SET owner = '', epoch = greatest(epoch, $1), expires_at = clock_timestamp(),"
                   " rescan = rescan + 1, horizon = NULL, detail = 'a new incarnation has begun'"),
                parameters{done.incarnation});
    for (int row = 0; row < lanes.rows(); ++row) {
        const auto& below = open.at(static_cast<std::size_t>(row));
        if (below.count == 0) continue;
        writing.run(in("UPDATE @lease SET mark = least(mark, $2) WHERE lane = $1"),
                    parameters{lanes.view(row, 0), below.lowest - 1});
        done.reopened += below.count;
    }
    writing.run(in("SELECT pg_notify(@sluice_channel(broker), 'released') FROM @lease WHERE broker <> ''"));
    const auto identity = writing.run(in("SELECT value FROM @sluice_meta WHERE key = 'identity'"));
    done.identity = identity.text(0, 0);
    done.lanes = static_cast<std::size_t>(lanes.rows());
    writing.commit();
    return done;
}

std::vector<history_fault> find_faults(connection& db, const std::string& schema, std::string_view server_name,
                                       std::size_t most_rows) {
    std::vector<history_fault> faults;
    if (auto sequence = sequence_fault(db, schema, server_name)) faults.push_back(*std::move(sequence));
    bool in_recovery = false;
    const auto stamp = ask_history(db, schema, in_recovery);
    const auto lanes = ask(db, {"", in_schema(lanes_sql, schema)});
    for (int row = 0; row < lanes.rows(); ++row) {
        const auto lane = lanes.text(row, 0);
        if (const auto other = difference_between(stamp_from(lanes.view(row, 3)), stamp); !other.empty()) {
            faults.push_back(other_history_fault(lane, other));
        }
        const auto open = find_open_below(db, schema, lane, lanes.integer(row, 2), most_rows);
        if (open.count > 0) faults.push_back(open_below_fault(lane, lanes.integer(row, 2), open.count, open.lowest));
    }
    return faults;
}

std::string behind_its_table(std::string_view server_name, const std::string& schema) {
    return fmt::format(
        "{}: the sequence of the event log has handed out a number that is in use; it is behind its table, as after a "
        "copy by logical replication. Nothing was written. Move it with: SELECT setval(pg_get_serial_sequence("
        "'\"{}\".event_log', 'seq'), (SELECT max(seq) FROM \"{}\".event_log))",
        server_name, schema, schema);
}

}  // namespace sluice::store::postgresql
