#include "store/unit_session.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "base/backoff.hpp"
#include "store/postgresql/broker_numbers.hpp"
#include "store/postgresql/commit_call.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/inside_sql.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/readable_json.hpp"
#include "store/postgresql/row_reader.hpp"
#include "store/postgresql/row_statements.hpp"
#include "store/postgresql/sessions.hpp"
#include "store/postgresql/verdict_of_commit.hpp"
#include "store/text_list.hpp"

namespace sluice::store::postgresql {
namespace {

using namespace std::chrono_literals;

/// How long a commit whose answer was lost is looked up before it counts as in doubt.
constexpr auto look_up_time = 15s;
/// How often a commit is repeated because another writer of a stream was faster.
constexpr int most_races = 10;
constexpr base::backoff between_looks{.first = 20ms, .factor = 2, .most = 1s};

// The log is asked only when a rebuild has come between.
constexpr auto gate_sql = R"sql(
SELECT p.generation, p.layout, p.built,
       p.floor > 0 AND EXISTS (SELECT FROM @event_log AS e WHERE e.message_id = $3 AND e.seq <= p.floor),
       (SELECT bool_or(content IN ('', $4) OR $4 = '') FROM @inbox WHERE message_id = $3 AND handler = $2)
FROM @projection AS p WHERE p.name = $1)sql";

struct unit_statements {
    explicit unit_statements(const std::string& schema)
        : load{"sluice_load",
               in_schema("SELECT version, state FROM @aggregate_state WHERE aggregate = $1 AND id = $2", schema)},
          look_in_inbox{"sluice_look_in_inbox", in_schema("SELECT content FROM @inbox"
                                                          " WHERE message_id = $1 AND handler = $2",
                                                          schema)},
          marked_of{"sluice_marked_of", in_schema("SELECT DISTINCT message_id FROM @inbox"
                                                  " WHERE message_id = ANY ($1) AND handler = $2",
                                                  schema)},
          lock{"sluice_lock_key", in_schema("SELECT pg_advisory_lock('@aggregate_state'::regclass::oid::integer,"
                                            " hashtext($1))",
                                            schema)},
          unlock{"sluice_unlock_keys", "SELECT pg_advisory_unlock_all()"},
          gate{"sluice_projection_gate", in_schema(gate_sql, schema)},
          commit{schema},
          inside{schema} {}

    statement load;
    statement look_in_inbox;  ///< $1 message, $2 handler
    statement marked_of;      ///< $1 messages, $2 handler
    statement lock;           ///< $1 key; for the session
    statement unlock;
    statement gate;  ///< $1 read model, $2 handler, $3 message, $4 content
    commit_statements commit;
    inside_statements inside;
};

scheduled_message read_scheduled(const result& found, int row) {
    scheduled_message message{.id = found.text(row, 0),
                              .due = found.time(row, 1),
                              .message = {.event = {.message_id = found.text(row, 2),
                                                    .stream = found.text(row, 3),
                                                    .stream_category = found.text(row, 4),
                                                    .type = found.text(row, 5),
                                                    .data = found.text(row, 6),
                                                    .metadata = found.text(row, 7),
                                                    .created_at = found.time(row, 8)},
                                          .priority = static_cast<int>(found.integer(row, 9)),
                                          .target_brokers = texts_in(found.view(row, 10))}};
    if (!found.null(row, 11)) message.message.expected_position = found.integer(row, 11);
    return message;
}

/// The condition of a finder on the state's field $2 and, where there is one, its value $3.
std::string condition_for(const std::string& field, const json::value& wanted) {
    switch (wanted.kind()) {
        case json::kind::null:
            return "coalesce(json_typeof(state -> $2), 'null') = 'null'";
        case json::kind::boolean:
            return "json_typeof(state -> $2) = 'boolean' AND state ->> $2 = $3";
        case json::kind::string:
            return "json_typeof(state -> $2) = 'string' AND state ->> $2 = $3";
        case json::kind::number:
            return "CASE WHEN json_typeof(state -> $2) = 'number' THEN (state ->> $2)::numeric = $3::numeric"
                   " ELSE false END";
        default:
            break;
    }
    throw usage_error{
        fmt::format("cannot find by field '{}': compare it with a string, number, boolean or null, not "
                    "with an {}",
                    field, json::to_string(wanted.kind()))};
}

/// Reads, and the one write of a unit of work. Each call borrows a connection for itself, so a unit that does nothing
/// holds nothing. With the first lock one is kept for everything, until all locks are given back.
class postgresql_unit_session final : public unit_session {
public:
    explicit postgresql_unit_session(shared_state& shared) : shared_{shared} {}
    postgresql_unit_session(const postgresql_unit_session&) = delete;
    postgresql_unit_session& operator=(const postgresql_unit_session&) = delete;
    ~postgresql_unit_session() override { give_back(); }

    void lock(std::string_view key) override;
    void unlock() noexcept override { give_back(); }

    std::optional<stored_state> load(std::string_view aggregate, std::string_view id) override;
    std::vector<stored_state> find(std::string_view aggregate, const state_query& query) override;
    std::vector<stream_event> read_stream(std::string_view stream, std::int64_t from, std::size_t limit) override;
    std::optional<stream_event> last_of_stream(std::string_view stream) override;
    std::optional<stored_snapshot> load_snapshot(std::string_view aggregate, std::string_view id) override;
    std::optional<command_outcome> outcome_of(std::string_view key, date_time now) override;
    std::vector<scheduled_message> due_messages(date_time now, std::size_t limit) override;
    std::optional<date_time> next_due() override;
    std::optional<projection_gate> look_at_projection(std::string_view name, const inbox_mark& message) override;
    std::optional<stored_row> load_row(const row_table& table, std::string_view key) override;
    std::vector<std::string> find_rows(const row_table& table, const detail::row_query& query) override;
    std::int64_t count_rows(const row_table& table, const detail::row_query& query) override;
    inbox_answer look_in_inbox(const inbox_mark& message) override;
    std::vector<std::string> marked_of(std::span<const std::string> message_ids, std::string_view handler) override;
    void commit(const commit_batch& batch) override;

private:
    [[nodiscard]] result read(const statement& what, const parameters& with);
    [[nodiscard]] static result ask(connection& db, const statement& what, const parameters& with);
    void lock_at_server(std::string_view key);
    void give_back() noexcept;
    /// One round trip with the whole batch. What became of a transaction whose answer was lost is told in `lost`.
    [[nodiscard]] std::optional<connection_lost> try_commit(connection& db, const commit_batch& batch,
                                                            lost_commit& lost);
    /// Returns when the batch is in the database.
    void look_up(const lost_commit& lost, const commit_batch& batch, const connection_lost& how);

    shared_state& shared_;
    unit_statements sql_{shared_.options.schema};
    std::vector<base::keyed_locks::hold> held_;
    std::optional<connection_pool::lease> kept_;  ///< the locks at the server are its session's
};

result postgresql_unit_session::ask(connection& db, const statement& what, const parameters& with) {
    exchange trip{db};
    const auto place = trip.add(what, with);
    trip.run();
    return trip.take(place);
}

/// A read can be repeated, and an idle connection may have been cut since its last use.
result postgresql_unit_session::read(const statement& what, const parameters& with) {
    if (kept_) return ask(**kept_, what, with);
    for (;;) {
        const auto db = shared_.pool.borrow();
        try {
            return ask(*db, what, with);
        } catch (const connection_lost&) {
            if (db.fresh()) throw;
        }
    }
}

void postgresql_unit_session::lock(std::string_view key) {
    auto hold = shared_.locks.acquire(key, shared_.options.lock_timeout);
    if (!hold) {
        throw store_error{
            fmt::format("{} of {} was locked for more than {}; try again", key, shared_.server.name(),
                        std::chrono::duration_cast<std::chrono::milliseconds>(shared_.options.lock_timeout)),
            error_nature::retryable};
    }
    lock_at_server(key);
    held_.push_back(*std::move(hold));
}

void postgresql_unit_session::lock_at_server(std::string_view key) {
    for (;;) {
        const bool first = !kept_;
        if (first) kept_.emplace(shared_.pool.borrow());
        // A pooler hands the next transaction to another session, so nothing can be kept in one.
        if ((*kept_)->pooled()) return first ? kept_.reset() : void();
        const bool fresh = !first || kept_->fresh();
        try {
            static_cast<void>(ask(**kept_, sql_.lock, parameters{key}));
            return;
        } catch (const connection_lost&) {
            kept_.reset();
            if (fresh) throw;
        } catch (const store_error&) {
            if (first) kept_.reset();
            throw;
        }
    }
}

void postgresql_unit_session::give_back() noexcept {
    if (kept_) {
        try {
            const bool locked = (*kept_)->usable() && !(*kept_)->pooled();
            if (locked) static_cast<void>(ask(**kept_, sql_.unlock, parameters{}));
        } catch (const std::exception&) {
            kept_->discard();  // the server gives its locks back with the session
        }
    }
    kept_.reset();
    held_.clear();
}

std::optional<stored_state> postgresql_unit_session::load(std::string_view aggregate, std::string_view id) {
    const auto found = read(sql_.load, parameters{aggregate, id});
    if (found.rows() == 0) return std::nullopt;
    return stored_state{.id = std::string{id}, .version = found.integer(0, 0), .state = found.text(0, 1)};
}

std::vector<stored_state> postgresql_unit_session::find(std::string_view aggregate, const state_query& query) {
    const auto limit = static_cast<std::int64_t>(query.limit);
    parameters with{aggregate};
    std::string condition = "true";
    if (!query.field.empty()) {
        if (query.field.find_first_of("\"\\") != std::string::npos) {
            throw usage_error{"cannot find by field '" + query.field +
                              "': a field's name has no quote and no backslash"};
        }
        const auto wanted = json::parse(query.equals);
        condition = condition_for(query.field, wanted);
        with.add(query.field);
        if (!wanted.is_null()) with.add(wanted.is_string() ? wanted.as_string() : query.equals);
    }
    with.add(limit);
    const auto found =
        read({"", in_schema(fmt::format("SELECT id, version, stored FROM (SELECT id, version, state AS stored,"
                                        " {} AS state FROM @aggregate_state WHERE aggregate = $1) AS s"
                                        " WHERE {} ORDER BY id LIMIT ${}",
                                        readable_json("state"), condition, with.count()),
                            shared_.options.schema)},
             with);
    std::vector<stored_state> states;
    states.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) {
        states.push_back({.id = found.text(row, 0), .version = found.integer(row, 1), .state = found.text(row, 2)});
    }
    return states;
}

std::vector<stream_event> postgresql_unit_session::read_stream(std::string_view stream, std::int64_t from,
                                                               std::size_t limit) {
    const auto found = read(sql_.inside.read_stream, parameters{stream, from, static_cast<std::int64_t>(limit)});
    std::vector<stream_event> events;
    events.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) events.push_back(read_stream_event(found, row));
    return events;
}

std::optional<stream_event> postgresql_unit_session::last_of_stream(std::string_view stream) {
    const auto found = read(sql_.inside.last_of_stream, parameters{stream});
    if (found.rows() == 0) return std::nullopt;
    return read_stream_event(found, 0);
}

std::optional<stored_snapshot> postgresql_unit_session::load_snapshot(std::string_view aggregate, std::string_view id) {
    const auto found = read(sql_.inside.load_snapshot, parameters{aggregate, id});
    if (found.rows() == 0) return std::nullopt;
    return stored_snapshot{.version = found.integer(0, 0), .layout = found.text(0, 1), .state = found.text(0, 2)};
}

std::optional<command_outcome> postgresql_unit_session::outcome_of(std::string_view key, date_time now) {
    const auto found = read(sql_.inside.outcome_of, parameters{key, now, shared_.our_time()});
    if (found.rows() == 0) return std::nullopt;
    return command_outcome{.key = std::string{key},
                           .command = found.text(0, 0),
                           .fingerprint = found.text(0, 1),
                           .succeeded = found.boolean(0, 2),
                           .content = found.text(0, 3),
                           .expires_at = found.time(0, 4)};
}

std::vector<scheduled_message> postgresql_unit_session::due_messages(date_time now, std::size_t limit) {
    const auto found =
        read(sql_.inside.due_messages, parameters{now, static_cast<std::int64_t>(limit), shared_.our_time()});
    std::vector<scheduled_message> due;
    due.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) due.push_back(read_scheduled(found, row));
    return due;
}

std::optional<date_time> postgresql_unit_session::next_due() {
    return read(sql_.inside.next_due, parameters{}).optional_time(0, 0);
}

std::optional<projection_gate> postgresql_unit_session::look_at_projection(std::string_view name,
                                                                           const inbox_mark& message) {
    const auto found = read(sql_.gate, parameters{name, message.handler, message.message_id, message.content});
    if (found.rows() == 0) return std::nullopt;
    const bool marked = !found.null(0, 4);
    const bool done = found.boolean(0, 3) || (marked && found.boolean(0, 4));
    return projection_gate{.generation = found.integer(0, 0),
                           .layout = found.text(0, 1),
                           .built = found.boolean(0, 2),
                           .done = done,
                           .other_content = marked && !done};
}

std::optional<stored_row> postgresql_unit_session::load_row(const row_table& table, std::string_view key) {
    const auto found = read(load_statement(table, shared_.options.schema), parameters{key});
    if (found.rows() == 0) return std::nullopt;
    return read_stored_row(*table.layout, found);
}

std::vector<std::string> postgresql_unit_session::find_rows(const row_table& table, const detail::row_query& query) {
    const auto [what, with] = find_statement(table, query, shared_.options.schema);
    const auto found = read(what, with);
    std::vector<std::string> rows;
    rows.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) rows.push_back(row_to_json(*table.layout, found, row));
    return rows;
}

std::int64_t postgresql_unit_session::count_rows(const row_table& table, const detail::row_query& query) {
    const auto [what, with] = count_statement(table, query, shared_.options.schema);
    return read(what, with).integer(0, 0);
}

inbox_answer postgresql_unit_session::look_in_inbox(const inbox_mark& message) {
    const auto found = read(sql_.look_in_inbox, parameters{message.message_id, message.handler});
    if (found.rows() == 0) return inbox_answer::unknown;
    for (int row = 0; row < found.rows(); ++row) {
        const auto content = found.view(row, 0);
        if (content.empty() || message.content.empty() || content == message.content) return inbox_answer::handled;
    }
    return inbox_answer::other_content;
}

std::vector<std::string> postgresql_unit_session::marked_of(std::span<const std::string> message_ids,
                                                            std::string_view handler) {
    const auto found = read(sql_.marked_of, parameters{array_of(message_ids), handler});
    std::vector<std::string> marked;
    marked.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) marked.push_back(found.text(row, 0));
    return marked;
}

void postgresql_unit_session::commit(const commit_batch& batch) {
    if (batch.empty()) return;
    lost_commit lost;
    const auto how = kept_ ? try_commit(**kept_, batch, lost) : try_commit(*shared_.pool.borrow(), batch, lost);
    if (how) look_up(lost, batch, *how);
}

std::optional<connection_lost> postgresql_unit_session::try_commit(connection& db, const commit_batch& batch,
                                                                   lost_commit& lost) {
    for (const auto& write : batch.events) shared_.numbered.require(db, shared_.options.schema, write.target_brokers);
    for (int tries = 1;; ++tries) {
        lost = {};
        lost.backend = db.backend();
        lost.backend_start = db.backend_start();
        lost.server = db.server_stamp();
        commit_call call{sql_.commit, sql_.inside,           shared_.options.schema,
                         batch,       shared_.server.name(), shared_.our_time()};
        exchange trip{db};
        std::optional<std::size_t> transaction;
        try {
            transaction = call.add_to(trip, db.pooled() || !proves_itself(batch));
            trip.run();
            return std::nullopt;
        } catch (const statement_error& refusal) {
            const auto brokers = call.brokers_without_number(refusal);
            if (tries >= most_races || (brokers.empty() && !call.may_be_repeated(refusal))) call.explain(refusal);
            if (!brokers.empty()) number_brokers(db, shared_.options.schema, brokers);
        } catch (const connection_lost& loss) {
            if (transaction && trip[*transaction]) lost.transaction = trip[*transaction].integer(0, 0);
            return loss;
        }
    }
}

void postgresql_unit_session::look_up(const lost_commit& lost, const commit_batch& batch, const connection_lost& how) {
    const auto end = std::chrono::steady_clock::now() + look_up_time;
    std::string obstacle = "its transaction did not end";
    for (int look = 1; std::chrono::steady_clock::now() < end; ++look) {
        auto verdict = commit_verdict::in_progress;
        std::string other;
        try {
            const auto db = shared_.pool.borrow();
            const auto found = collect_evidence(*db, shared_.options.schema, lost, batch);
            verdict = judge(found);
            other = found.other_server;
            if (found.standby) obstacle = "only a standby answers";
        } catch (const store_error& trouble) {
            obstacle = trouble.what();  // the server is on its way up again
        }
        if (verdict == commit_verdict::committed) return;
        if (verdict == commit_verdict::absent) {
            throw store_error{std::string{how.what()} + "; nothing was written", how.nature()};
        }
        if (verdict == commit_verdict::unknown) {
            obstacle = other.empty() ? "what it wrote has changed since" : "another server answers now, " + other;
            break;
        }
        std::this_thread::sleep_for(between_looks.delay(look));
    }
    throw store_error{
        fmt::format("{}; whether the commit took effect is unknown ({}), read it back", how.what(), obstacle),
        error_nature::in_doubt};
}

}  // namespace

std::unique_ptr<unit_session> make_unit_session(shared_state& shared) {
    return std::make_unique<postgresql_unit_session>(shared);
}

}  // namespace sluice::store::postgresql
