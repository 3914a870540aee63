#include "store/read_models.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include <sluice/error.hpp>

#include "domain/table_rules.hpp"
#include "store/row_refusals.hpp"
#include "store/row_sql.hpp"
#include "store/sqlite/row_tables.hpp"
#include "store/sqlite/sessions.hpp"
#include "store/sqlite/stream_sql.hpp"
#include "store/text_list.hpp"

namespace sluice::store::sqlite {
namespace {

using sluice::detail::column_kind;
using sluice::detail::table_layout;

const char* type_of(column_kind kind) {
    switch (kind) {
        case column_kind::integer:
        case column_kind::boolean:
        case column_kind::decimal:   // in units of the last digit: exact, in order, and sums are exact, too
        case column_kind::duration:  // in microseconds
            return "INTEGER";
        case column_kind::real:
            return "REAL";
        default:
            return "TEXT";
    }
}

std::string create_table_sql(const row_table& table) {
    std::string columns;
    for (const auto& column : table.layout->columns) {
        // JSON null is a value of its own kind, and kept as NULL.
        const bool may_be_null = column.optional || column.kind == column_kind::json;
        columns +=
            fmt::format("{} {}{}, ", quoted_name(column.name), type_of(column.kind), may_be_null ? "" : " NOT NULL");
    }
    return fmt::format("CREATE TABLE {} ({}{} INTEGER NOT NULL, PRIMARY KEY ({})) STRICT, WITHOUT ROWID",
                       quoted_name(physical_name(table)), columns, sluice::detail::row_version_column,
                       quoted_name(table.layout->key));
}

/// A write transaction of a rebuild's switch keeps every other writer of the file waiting, projectors among them.
class sqlite_read_model_session final : public read_model_session {
public:
    explicit sqlite_read_model_session(std::unique_ptr<connection> db) : db_{std::move(db)} {}

    std::vector<projection_status> list() override;
    std::int64_t count_rows(const row_table& table) override { return rows_.count(table, {}); }
    bool create(const table_layout& layout) override;
    void register_reader(const std::string& name, const std::string& group) override { reader_.run(name, group); }
    rebuild_status begin_rebuild(const table_layout& layout, bool restart, date_time now) override;
    log_end end_of_log() override;
    std::vector<stream_event> events(const std::vector<std::string>& categories, sequence after, sequence upto,
                                     std::size_t limit) override;
    std::optional<stored_row> load_row(const row_table& table, std::string_view key) override {
        return rows_.load(table, key);
    }
    void advance(const table_layout& layout, const rebuild_step& step) override;
    void lock(const table_layout& layout, const rebuild_status& at) override;
    void complete(const table_layout& layout, const rebuild_step& step) override;
    void unlock() noexcept override { locked_.reset(); }
    std::size_t drop_former(const table_layout& layout) override;

private:
    [[nodiscard]] std::optional<projection_status> find(const std::string& name);
    [[nodiscard]] projection_status get(const table_layout& layout);
    [[nodiscard]] bool exists(const std::string& name);
    [[nodiscard]] bool has_indexes(const row_table& table);
    /// @throws rebuild_superseded
    void require_rebuild(const table_layout& layout, std::int64_t generation, sequence position);
    void make_table(const row_table& table);
    void make_indexes(const row_table& table);
    void show(const row_table& table);
    void write(const rebuild_step& step);
    void drop(const std::string& table) { db_->execute(("DROP TABLE IF EXISTS " + quoted_name(table)).c_str()); }

    std::unique_ptr<connection> db_;
    row_tables rows_{*db_};
    std::optional<transaction> locked_{};

    statement list_{*db_,
                    "SELECT name, generation, layout, built, floor, rebuilt_at, rebuild_generation, rebuild_layout,"
                    " rebuild_position, rebuild_started_at, rebuild_updated_at, reader FROM projection ORDER BY name"};
    statement register_{*db_,
                        "INSERT INTO projection (name, generation, last_generation, layout, built, floor)"
                        " VALUES (?1, 1, 1, ?2, NOT EXISTS (SELECT 1 FROM event_log), 0)"};
    statement reader_{*db_, "UPDATE projection SET reader = ?2 WHERE name = ?1 AND reader = ''"};
    statement begin_{*db_,
                     "UPDATE projection SET last_generation = last_generation + 1,"
                     " rebuild_generation = last_generation + 1, rebuild_layout = ?2, rebuild_position = 0,"
                     " rebuild_started_at = ?3, rebuild_updated_at = ?3 WHERE name = ?1"};
    statement move_{*db_,
                    "UPDATE projection SET rebuild_position = ?4, rebuild_updated_at = ?5"
                    " WHERE name = ?1 AND rebuild_generation = ?2 AND rebuild_position = ?3"};
    statement switch_{*db_,
                      "UPDATE projection SET generation = ?2, layout = ?3, built = 1, floor = ?4, rebuilt_at = ?5,"
                      " rebuild_generation = NULL, rebuild_layout = NULL, rebuild_position = NULL,"
                      " rebuild_started_at = NULL, rebuild_updated_at = NULL WHERE name = ?1"};
    statement exists_{*db_, "SELECT 1 FROM sqlite_schema WHERE name = ?1"};
    statement tables_{*db_, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB ?1 ORDER BY name"};
    statement head_{*db_, "SELECT coalesce(max(seq), 0) FROM event_log"};
    statement events_{*db_, std::string{event_columns} +
                                "FROM event_log e WHERE e.seq > ?1 AND e.seq <= ?2"
                                " AND e.stream_category IN (SELECT value FROM json_each(?3)) ORDER BY e.seq LIMIT ?4"};
};

std::vector<projection_status> sqlite_read_model_session::list() {
    std::vector<projection_status> all;
    auto found = list_.query();
    while (found.next()) {
        projection_status one{.name = found.text(0),
                              .generation = found.integer(1),
                              .layout = found.text(2),
                              .built = found.integer(3) != 0,
                              .floor = found.integer(4),
                              .rebuilt_at = found.optional_time(5),
                              .reader = found.text(11)};
        if (!found.null(6)) {
            one.rebuild = rebuild_status{.generation = found.integer(6),
                                         .layout = found.text(7),
                                         .position = found.integer(8),
                                         .started_at = found.time(9),
                                         .updated_at = found.time(10)};
        }
        all.push_back(std::move(one));
    }
    return all;
}

std::optional<projection_status> sqlite_read_model_session::find(const std::string& name) {
    for (auto& each : list()) {
        if (each.name == name) return std::move(each);
    }
    return std::nullopt;
}

projection_status sqlite_read_model_session::get(const table_layout& layout) {
    if (auto found = find(layout.name)) return *std::move(found);
    throw store_error{
        fmt::format("sqlite {} has no read model {}; run `sluice db setup` with the domain that declares it",
                    db_->file().string(), layout.name),
        error_nature::outage};
}

bool sqlite_read_model_session::exists(const std::string& name) { return exists_.query(name).next(); }

bool sqlite_read_model_session::has_indexes(const row_table& table) {
    for (const auto& columns : table.layout->indexes) {
        if (!exists(index_name(table, columns))) return false;
    }
    return true;
}

bool sqlite_read_model_session::create(const table_layout& layout) {
    const auto is_whole = [&](const projection_status& known) {
        // Indexes of another layout come with its rebuild.
        return known.layout != layout.fingerprint || has_indexes({&layout, known.generation});
    };
    // Mostly everything is there, and no starting program need wait for the lock.
    if (const auto known = find(layout.name); known && is_whole(*known)) return false;
    transaction writing{*db_, transaction::kind::write};
    const auto known = find(layout.name);
    if (!known) {
        if (exists(layout.name)) {
            throw store_error{
                fmt::format("sqlite {} has something named {} that is no read model; give the read model "
                            "another .name in its contract",
                            db_->file().string(), layout.name)};
        }
        register_.run(layout.name, layout.fingerprint);
        make_table({&layout, 1});
        make_indexes({&layout, 1});
        show({&layout, 1});
    } else if (!is_whole(*known)) {
        make_indexes({&layout, known->generation});
    }
    writing.commit();
    return !known;
}

void sqlite_read_model_session::make_table(const row_table& table) { db_->execute(create_table_sql(table).c_str()); }

void sqlite_read_model_session::make_indexes(const row_table& table) {
    for (const auto& columns : table.layout->indexes)
        db_->execute(create_index_sql(table, columns, quoted_name(physical_name(table))).c_str());
}

void sqlite_read_model_session::show(const row_table& table) {
    db_->execute(("DROP VIEW IF EXISTS " + quoted_name(table.layout->name)).c_str());
    db_->execute(fmt::format("CREATE VIEW {} AS SELECT {} FROM {}", quoted_name(table.layout->name),
                             column_list(*table.layout), quoted_name(physical_name(table)))
                     .c_str());
}

rebuild_status sqlite_read_model_session::begin_rebuild(const table_layout& layout, bool restart, date_time now) {
    transaction writing{*db_, transaction::kind::write};
    const auto known = get(layout);
    if (known.rebuild && known.rebuild->layout == layout.fingerprint && !restart) return *known.rebuild;
    if (known.rebuild) drop(physical_name({&layout, known.rebuild->generation}));
    begin_.run(layout.name, layout.fingerprint, to_sql(now));
    auto begun = *get(layout).rebuild;
    make_table({&layout, begun.generation});
    make_indexes({&layout, begun.generation});  // now, and not while projectors wait for the switch
    writing.commit();
    return begun;
}

log_end sqlite_read_model_session::end_of_log() {
    auto found = head_.query();
    return {.head = found.next() ? found.integer(0) : 0, .writers = {}};
}

std::vector<stream_event> sqlite_read_model_session::events(const std::vector<std::string>& categories, sequence after,
                                                            sequence upto, std::size_t limit) {
    std::vector<stream_event> all;
    auto found = events_.query(after, upto, text_list(categories), limit);
    while (found.next()) all.push_back(read_stream_event(found));
    return all;
}

void sqlite_read_model_session::write(const rebuild_step& step) {
    for (const auto& each : step.rows) rows_.write(each);
}

void sqlite_read_model_session::advance(const table_layout& layout, const rebuild_step& step) {
    transaction writing{*db_, transaction::kind::write};
    if (move_.run(layout.name, step.generation, step.from, step.upto, to_sql(step.at)) != 1) {
        throw superseded(layout.name);
    }
    write(step);
    writing.commit();
}

void sqlite_read_model_session::require_rebuild(const table_layout& layout, std::int64_t generation,
                                                sequence position) {
    const auto known = find(layout.name);
    if (!known || !known->rebuild || known->rebuild->generation != generation || known->rebuild->position != position) {
        throw superseded(layout.name);
    }
}

void sqlite_read_model_session::lock(const table_layout& layout, const rebuild_status& at) {
    locked_.emplace(*db_, transaction::kind::write);
    try {
        require_rebuild(layout, at.generation, at.position);
    } catch (...) {
        unlock();
        throw;
    }
}

void sqlite_read_model_session::complete(const table_layout& layout, const rebuild_step& step) {
    if (!locked_) locked_.emplace(*db_, transaction::kind::write);
    try {
        require_rebuild(layout, step.generation, step.from);
        write(step);
        switch_.run(layout.name, step.generation, layout.fingerprint, step.upto, to_sql(step.at));
        show({&layout, step.generation});
        locked_->commit();
    } catch (...) {
        unlock();
        throw;
    }
    unlock();
}

std::size_t sqlite_read_model_session::drop_former(const table_layout& layout) {
    transaction writing{*db_, transaction::kind::write};
    const auto known = get(layout);
    std::vector<std::string> former;
    {
        auto found = tables_.query(layout.name + "__g[0-9]*");
        while (found.next()) former.push_back(found.text(0));
    }
    std::erase(former, physical_name({&layout, known.generation}));
    if (known.rebuild) std::erase(former, physical_name({&layout, known.rebuild->generation}));
    for (const auto& table : former) drop(table);
    writing.commit();
    return former.size();
}

}  // namespace

std::unique_ptr<read_model_session> make_read_model_session(std::unique_ptr<connection> db) {
    return std::make_unique<sqlite_read_model_session>(std::move(db));
}

}  // namespace sluice::store::sqlite
