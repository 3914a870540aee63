#include "store/read_models.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include <sluice/error.hpp>

#include "domain/table_rules.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/inside_sql.hpp"
#include "store/postgresql/log_writers_sql.hpp"
#include "store/postgresql/long_transaction.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/row_reader.hpp"
#include "store/postgresql/row_statements.hpp"
#include "store/postgresql/sessions.hpp"
#include "store/row_refusals.hpp"
#include "store/row_sql.hpp"

namespace sluice::store::postgresql {
namespace {

using sluice::detail::column_kind;
using sluice::detail::table_column;
using sluice::detail::table_layout;

constexpr auto list_sql = R"sql(
SELECT name, generation, layout, built, floor, rebuilt_at, rebuild_generation, rebuild_layout, rebuild_position,
       rebuild_started_at, rebuild_updated_at, reader
FROM @projection)sql";

constexpr auto register_sql = R"sql(
INSERT INTO @projection (name, generation, last_generation, layout, built, floor)
VALUES ($1, 1, 1, $2, NOT EXISTS (SELECT FROM @event_log), 0))sql";

constexpr auto begin_sql = R"sql(
UPDATE @projection SET last_generation = last_generation + 1, rebuild_generation = last_generation + 1,
       rebuild_layout = $2, rebuild_position = 0, rebuild_started_at = $3, rebuild_updated_at = $3
WHERE name = $1)sql";

constexpr auto move_sql = R"sql(
WITH moved AS (
    UPDATE @projection SET rebuild_position = $4, rebuild_updated_at = $5
    WHERE name = $1 AND rebuild_generation = $2 AND rebuild_position = $3 RETURNING 1
)
SELECT CASE WHEN NOT EXISTS (SELECT FROM moved) THEN @sluice_refuse(0) END)sql";

constexpr auto switch_sql = R"sql(
UPDATE @projection SET generation = $2, layout = $3, built = true, floor = $4, rebuilt_at = $5,
       rebuild_generation = NULL, rebuild_layout = NULL, rebuild_position = NULL, rebuild_started_at = NULL,
       rebuild_updated_at = NULL
WHERE name = $1)sql";

// The head comes first: who has drawn a number below it and has not ended holds the lock when the locks are read.
constexpr auto end_of_log_sql = R"sql(
WITH head AS MATERIALIZED (SELECT coalesce(max(seq), 0) AS seq FROM @event_log)
SELECT head.seq, coalesce((SELECT array_agg(DISTINCT virtualtransaction) FROM pg_locks AS held
                           WHERE )sql" SLUICE_WRITES_TO_LOG("held") R"sql(), '{}')
FROM head)sql";

constexpr auto exists_sql = R"sql(
SELECT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = $2))sql";

constexpr auto former_sql =
    "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename ~ ('^' || $2 || '__g[0-9]+$')";

std::string type_of(const table_column& column) {
    switch (column.kind) {
        case column_kind::integer:
        case column_kind::duration:  // in microseconds
            return "bigint";
        case column_kind::real:
            return "double precision";
        case column_kind::boolean:
            return "boolean";
        case column_kind::time:
            return "timestamptz";
        case column_kind::date:
            return "date";
        case column_kind::decimal:  // every 64-bit count of units fits in 19 digits
            return fmt::format("numeric(19,{})", column.digits);
        case column_kind::json:
            return "json";
        case column_kind::text:
            break;
    }
    return "text COLLATE \"C\"";
}

std::string create_table_sql(const row_table& table) {
    std::string columns;
    for (const auto& column : table.layout->columns) {
        // JSON null is a value of its own kind, and kept as NULL.
        const bool may_be_null = column.optional || column.kind == column_kind::json;
        columns += fmt::format("{} {}{}, ", quoted_name(column.name), type_of(column), may_be_null ? "" : " NOT NULL");
    }
    return fmt::format("CREATE TABLE {} ({}{} bigint NOT NULL, PRIMARY KEY ({})) WITH (fillfactor = 80)", in_sql(table),
                       columns, sluice::detail::row_version_column, quoted_name(table.layout->key));
}

projection_status read_status(const result& found, int row) {
    projection_status status{.name = found.text(row, 0),
                             .generation = found.integer(row, 1),
                             .layout = found.text(row, 2),
                             .built = found.boolean(row, 3),
                             .floor = found.integer(row, 4),
                             .rebuilt_at = found.optional_time(row, 5),
                             .reader = found.text(row, 11)};
    if (!found.null(row, 6)) {
        status.rebuild = rebuild_status{.generation = found.integer(row, 6),
                                        .layout = found.text(row, 7),
                                        .position = found.integer(row, 8),
                                        .started_at = found.time(row, 9),
                                        .updated_at = found.time(row, 10)};
    }
    return status;
}

/// Borrows a connection for each call, but for the time under the lock, which is one transaction on one connection.
class postgresql_read_model_session final : public read_model_session {
public:
    explicit postgresql_read_model_session(shared_state& shared) : shared_{shared} {}

    std::vector<projection_status> list() override;
    std::int64_t count_rows(const row_table& table) override;
    bool create(const table_layout& layout) override;
    void register_reader(const std::string& name, const std::string& group) override {
        static_cast<void>(
            ask(sql("UPDATE @projection SET reader = $2 WHERE name = $1 AND reader = ''"), parameters{name, group}));
    }
    rebuild_status begin_rebuild(const table_layout& layout, bool restart, date_time now) override;
    log_end end_of_log() override;
    std::vector<stream_event> events(const std::vector<std::string>& categories, sequence after, sequence upto,
                                     std::size_t limit) override;
    std::optional<stored_row> load_row(const row_table& table, std::string_view key) override;
    void advance(const table_layout& layout, const rebuild_step& step) override;
    void lock(const table_layout& layout, const rebuild_status& at) override;
    void complete(const table_layout& layout, const rebuild_step& step) override;
    void unlock() noexcept override { locked_.reset(); }
    std::size_t drop_former(const table_layout& layout) override;

private:
    /// The transaction under the lock, with its connection.
    struct locked_projection {
        explicit locked_projection(connection_pool::lease on) : db{std::move(on)}, work{*db} {}
        connection_pool::lease db;
        long_transaction work;
    };

    [[nodiscard]] statement sql(std::string_view text) const { return {"", in_schema(text, shared_.options.schema)}; }
    /// Runs a statement under the lock, or in a transaction of its own.
    [[nodiscard]] result ask(const statement& what, const parameters& with = parameters{});
    /// The register's row, kept from others that would change it, but not from projectors.
    [[nodiscard]] std::optional<projection_status> hold(long_transaction& in, const std::string& name) const;
    [[nodiscard]] projection_status hold(long_transaction& in, const table_layout& layout) const;
    void require_rebuild(long_transaction& in, const table_layout& layout, std::int64_t generation,
                         sequence position) const;
    [[nodiscard]] bool has_indexes(const row_table& table);
    void make_table(long_transaction& in, const row_table& table) const;
    void make_indexes(long_transaction& in, const row_table& table) const;
    void show(long_transaction& in, const row_table& table) const;
    void require_free(long_transaction& in, const std::string& name) const;

    shared_state& shared_;
    std::optional<locked_projection> locked_{};
};

result postgresql_read_model_session::ask(const statement& what, const parameters& with) {
    if (locked_) return locked_->work.run(what, with);
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto place = trip.add(what, with);
    trip.run();
    return trip.take(place);
}

std::vector<projection_status> postgresql_read_model_session::list() {
    const auto found = ask(sql(std::string{list_sql} + " ORDER BY name"));
    std::vector<projection_status> all;
    all.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) all.push_back(read_status(found, row));
    return all;
}

std::int64_t postgresql_read_model_session::count_rows(const row_table& table) {
    const auto [what, with] = count_statement(table, {}, shared_.options.schema);
    return ask(what, with).integer(0, 0);
}

std::optional<projection_status> postgresql_read_model_session::hold(long_transaction& in,
                                                                     const std::string& name) const {
    const auto found = in.run(sql(std::string{list_sql} + " WHERE name = $1 FOR NO KEY UPDATE"), parameters{name});
    return found.rows() == 0 ? std::nullopt : std::optional{read_status(found, 0)};
}

projection_status postgresql_read_model_session::hold(long_transaction& in, const table_layout& layout) const {
    if (auto found = hold(in, layout.name)) return *std::move(found);
    throw store_error{fmt::format("{} has no read model {}; run `sluice db setup` with the domain that declares it",
                                  shared_.server.name(), layout.name),
                      error_nature::outage};
}

bool postgresql_read_model_session::has_indexes(const row_table& table) {
    for (const auto& columns : table.layout->indexes) {
        const auto there = ask(sql(exists_sql), parameters{shared_.options.schema, index_name(table, columns)});
        if (!there.boolean(0, 0)) return false;
    }
    return true;
}

void postgresql_read_model_session::require_free(long_transaction& in, const std::string& name) const {
    if (!in.run(sql(exists_sql), parameters{shared_.options.schema, name}).boolean(0, 0)) return;
    throw store_error{
        fmt::format("{} has something named {} in schema {} that is no read model; give the read model "
                    "another .name in its contract",
                    shared_.server.name(), name, shared_.options.schema)};
}

bool postgresql_read_model_session::create(const table_layout& layout) {
    const auto is_whole = [&](const projection_status& known) {
        // Indexes of another layout come with its rebuild.
        return known.layout != layout.fingerprint || has_indexes({&layout, known.generation});
    };
    for (const auto& known : list()) {
        if (known.name == layout.name && is_whole(known)) return false;
    }
    const auto db = shared_.pool.keep(setup_use(shared_.options));
    long_transaction writing{*db};
    // The first does it; the others wait here and then find it done.
    writing.run(sql("SELECT pg_advisory_xact_lock(hashtext('sluice_projection'), hashtext($1))"),
                parameters{shared_.options.schema});
    const auto known = hold(writing, layout.name);
    if (!known) {
        require_free(writing, layout.name);
        writing.run(sql(register_sql), parameters{layout.name, layout.fingerprint});
        make_table(writing, {&layout, 1});
        make_indexes(writing, {&layout, 1});
        show(writing, {&layout, 1});
    } else if (known->layout == layout.fingerprint) {
        make_indexes(writing, {&layout, known->generation});
    }
    writing.commit();
    return !known;
}

void postgresql_read_model_session::make_table(long_transaction& in, const row_table& table) const {
    in.run(sql(create_table_sql(table)));
}

void postgresql_read_model_session::make_indexes(long_transaction& in, const row_table& table) const {
    for (const auto& columns : table.layout->indexes) in.run(sql(create_index_sql(table, columns, in_sql(table))));
}

/// Replaced where its columns stay the same, because that keeps what people were granted on it and made of it.
void postgresql_read_model_session::show(long_transaction& in, const row_table& table) const {
    const auto& layout = *table.layout;
    const auto view = in_sql({&layout, 0});
    const auto now =
        in.run(sql("SELECT coalesce(array_agg(a.attname::text || ' ' || format_type(a.atttypid, a.atttypmod)"
                   " ORDER BY a.attnum), '{}') FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
                   " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND "
                   "a.attnum > 0"),
               parameters{shared_.options.schema, layout.name});
    std::vector<std::string> wanted;
    for (const auto& column : layout.columns) {
        const std::string type = column.kind == column_kind::time   ? "timestamp with time zone"
                                 : column.kind == column_kind::text ? "text"
                                                                    : type_of(column);
        wanted.push_back(column.name + " " + type);
    }
    if (now.texts(0, 0) != wanted) in.run(sql("DROP VIEW IF EXISTS " + view));
    in.run(
        sql(fmt::format("CREATE OR REPLACE VIEW {} AS SELECT {} FROM {}", view, column_list(layout), in_sql(table))));
}

rebuild_status postgresql_read_model_session::begin_rebuild(const table_layout& layout, bool restart, date_time now) {
    const auto db = shared_.pool.borrow();
    long_transaction writing{*db};
    const auto known = hold(writing, layout);
    if (known.rebuild && known.rebuild->layout == layout.fingerprint && !restart) return *known.rebuild;
    if (known.rebuild) {
        writing.run(sql("DROP TABLE IF EXISTS " + in_sql({&layout, known.rebuild->generation})));
    }
    writing.run(sql(begin_sql), parameters{layout.name, layout.fingerprint, now});
    auto begun = *hold(writing, layout).rebuild;
    make_table(writing, {&layout, begun.generation});
    make_indexes(writing, {&layout, begun.generation});  // now, and not while projectors wait for the switch
    writing.commit();
    return begun;
}

log_end postgresql_read_model_session::end_of_log() {
    const auto found = ask(sql(end_of_log_sql));
    const auto writers = found.texts(0, 1);
    return {.head = found.integer(0, 0), .writers = {writers.begin(), writers.end()}};
}

std::vector<stream_event> postgresql_read_model_session::events(const std::vector<std::string>& categories,
                                                                sequence after, sequence upto, std::size_t limit) {
    const auto found = ask(sql(fmt::format("SELECT {} FROM @event_log AS e WHERE e.seq > $1 AND e.seq <= $2"
                                           " AND e.stream_category = ANY ($3::text[]) ORDER BY e.seq LIMIT $4",
                                           event_columns)),
                           parameters{after, upto, array_of(categories), static_cast<std::int64_t>(limit)});
    std::vector<stream_event> all;
    all.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) all.push_back(read_stream_event(found, row));
    return all;
}

std::optional<stored_row> postgresql_read_model_session::load_row(const row_table& table, std::string_view key) {
    const auto found = ask(load_statement(table, shared_.options.schema), parameters{key});
    if (found.rows() == 0) return std::nullopt;
    return read_stored_row(*table.layout, found);
}

void postgresql_read_model_session::advance(const table_layout& layout, const rebuild_step& step) {
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto move = trip.add(sql(move_sql), parameters{layout.name, step.generation, step.from, step.upto, step.at});
    for (const auto& [what, with] : bulk_statements(step.rows, shared_.options.schema)) trip.add(what, with);
    try {
        trip.run();
    } catch (const statement_error& refusal) {
        if (refusal.place() == move && refusal.sqlstate() == "SL001") throw superseded(layout.name);
        throw;
    }
}

void postgresql_read_model_session::require_rebuild(long_transaction& in, const table_layout& layout,
                                                    std::int64_t generation, sequence position) const {
    const auto found = in.run(sql(std::string{list_sql} + " WHERE name = $1 FOR UPDATE"), parameters{layout.name});
    if (found.rows() == 1) {
        const auto known = read_status(found, 0);
        if (known.rebuild && known.rebuild->generation == generation && known.rebuild->position == position) return;
    }
    throw superseded(layout.name);
}

void postgresql_read_model_session::lock(const table_layout& layout, const rebuild_status& at) {
    locked_.emplace(shared_.pool.keep(shared_use(shared_.options)));
    try {
        // Projectors, and those who read through the view, queue up behind whoever waits for them.
        static_cast<void>(locked_->work.run(sql("SET LOCAL lock_timeout = '1s'")));
        require_rebuild(locked_->work, layout, at.generation, at.position);
    } catch (...) {
        unlock();
        throw;
    }
}

void postgresql_read_model_session::complete(const table_layout& layout, const rebuild_step& step) {
    if (!locked_) locked_.emplace(shared_.pool.keep(shared_use(shared_.options)));
    try {
        auto& work = locked_->work;
        require_rebuild(work, layout, step.generation, step.from);
        for (const auto& [what, with] : bulk_statements(step.rows, shared_.options.schema)) work.run(what, with);
        work.run(sql(switch_sql), parameters{layout.name, step.generation, layout.fingerprint, step.upto, step.at});
        show(work, {&layout, step.generation});
        work.commit();
    } catch (...) {
        unlock();
        throw;
    }
    unlock();
}

std::size_t postgresql_read_model_session::drop_former(const table_layout& layout) {
    const auto db = shared_.pool.borrow();
    long_transaction writing{*db};
    const auto known = hold(writing, layout);
    const auto found = writing.run(sql(former_sql), parameters{shared_.options.schema, layout.name});
    std::size_t dropped = 0;
    for (int row = 0; row < found.rows(); ++row) {
        const auto table = found.text(row, 0);
        const bool counts = table == physical_name({&layout, known.generation});
        const bool grows = known.rebuild && table == physical_name({&layout, known.rebuild->generation});
        if (counts || grows) continue;
        writing.run(sql("DROP TABLE IF EXISTS @" + quoted_name(table)));
        ++dropped;
    }
    writing.commit();
    return dropped;
}

}  // namespace

std::unique_ptr<read_model_session> make_read_model_session(shared_state& shared) {
    return std::make_unique<postgresql_read_model_session>(shared);
}

}  // namespace sluice::store::postgresql
