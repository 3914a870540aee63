#include "store/unit_session.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "store/inside_refusals.hpp"
#include "store/sqlite/event_writer.hpp"
#include "store/sqlite/file_lock.hpp"
#include "store/sqlite/inside_tables.hpp"
#include "store/sqlite/kept_removals.hpp"
#include "store/sqlite/row_tables.hpp"
#include "store/sqlite/sessions.hpp"
#include "store/sqlite/stream_sql.hpp"

namespace sluice::store::sqlite {
namespace {

/// A finder with a condition on the state's field ?2; `limit` is the number of its last parameter.
std::string find_where(std::string_view condition, int limit) {
    return fmt::format(
        "SELECT id, version, state FROM aggregate_state WHERE aggregate = ?1 AND {} ORDER BY id LIMIT ?{}", condition,
        limit);
}

/// Reads and the one write of a unit of work.
class sqlite_unit_session final : public unit_session {
public:
    sqlite_unit_session(std::unique_ptr<connection> db, base::keyed_locks& locks) : db_{std::move(db)}, locks_{locks} {}

    void lock(std::string_view key) override;
    void unlock() noexcept override { held_.clear(); }

    bool is_current() const override { return db_->is_in_place(); }

    std::optional<stored_state> load(std::string_view aggregate, std::string_view id) override {
        auto found = load_.query(aggregate, id);
        if (!found.next()) return std::nullopt;
        return stored_state{.id = std::string{id}, .version = found.integer(0), .state = found.text(1)};
    }

    std::vector<stored_state> find(std::string_view aggregate, const state_query& query) override;

    std::vector<stream_event> read_stream(std::string_view stream, std::int64_t from, std::size_t limit) override;
    std::optional<stream_event> last_of_stream(std::string_view stream) override;

    std::optional<stored_snapshot> load_snapshot(std::string_view aggregate, std::string_view id) override {
        return inside_.load_snapshot(aggregate, id);
    }
    std::optional<command_outcome> outcome_of(std::string_view key, date_time now) override {
        return inside_.outcome_of(key, now);
    }
    std::vector<scheduled_message> due_messages(date_time now, std::size_t limit) override {
        return inside_.due_messages(now, limit);
    }
    std::optional<date_time> next_due() override { return inside_.next_due(); }

    std::optional<projection_gate> look_at_projection(std::string_view name, const inbox_mark& message) override;
    std::optional<stored_row> load_row(const row_table& table, std::string_view key) override {
        return rows_.load(table, key);
    }
    std::vector<std::string> find_rows(const row_table& table, const detail::row_query& query) override {
        return rows_.find(table, query);
    }
    std::int64_t count_rows(const row_table& table, const detail::row_query& query) override {
        return rows_.count(table, query);
    }

    inbox_answer look_in_inbox(const inbox_mark& message) override {
        auto found = look_in_inbox_.query(message.message_id, message.handler, message.content);
        if (!found.next() || found.null(0)) return inbox_answer::unknown;
        return found.integer(0) != 0 ? inbox_answer::handled : inbox_answer::other_content;
    }

    void commit(const commit_batch& batch) override;

private:
    [[nodiscard]] rows matching(std::string_view aggregate, const state_query& query);

    void write(const state_write& change);
    void mark(const inbox_mark& mark, const std::string& at);

    /// Threads of this process wait for each other without looking at a file.
    struct held_key {
        base::keyed_locks::hold inside;
        file_lock outside;
    };

    std::unique_ptr<connection> db_;
    base::keyed_locks& locks_;
    std::vector<held_key> held_;

    statement load_{*db_, "SELECT version, state FROM aggregate_state WHERE aggregate = ?1 AND id = ?2"};
    statement find_all_{*db_, find_where("true", 2)};
    statement find_null_{*db_, find_where("json_extract(state, ?2) IS NULL", 3)};
    statement find_boolean_{*db_, find_where("json_type(state, ?2) = ?3", 4)};
    statement find_text_{*db_, find_where("json_type(state, ?2) = 'text' AND json_extract(state, ?2) = ?3", 4)};
    statement find_number_{*db_, find_where("json_type(state, ?2) IN ('integer', 'real')"
                                            " AND json_extract(state, ?2) = json_extract(?3, '$')",
                                            4)};
    statement read_stream_{*db_, read_stream_sql};
    statement last_of_stream_{*db_, last_of_stream_sql};
    // The log is asked only when a rebuild has come between.
    statement gate_{*db_,
                    "SELECT p.generation, p.layout, p.built,"
                    " p.floor > 0 AND EXISTS (SELECT 1 FROM event_log e WHERE e.message_id = ?3 AND e.seq <= p.floor),"
                    " (SELECT max(content IN ('', ?4) OR ?4 = '') FROM inbox WHERE message_id = ?3 AND handler = ?2)"
                    " FROM projection p WHERE p.name = ?1"};
    statement look_in_inbox_{*db_,
                             "SELECT max(content IN ('', ?3) OR ?3 = '') FROM inbox"
                             " WHERE message_id = ?1 AND handler = ?2"};

    statement insert_state_{*db_,
                            "INSERT INTO aggregate_state (aggregate, id, version, state) VALUES (?1, ?2, ?3, ?4)"};
    statement update_state_{*db_,
                            "UPDATE aggregate_state SET version = ?3, state = ?4"
                            " WHERE aggregate = ?1 AND id = ?2 AND version = ?3 - 1"};
    statement remove_state_{*db_, "DELETE FROM aggregate_state WHERE aggregate = ?1 AND id = ?2 AND version = ?3 - 1"};
    statement mark_{*db_, "INSERT INTO inbox (message_id, handler, content, processed_at) VALUES (?1, ?2, ?3, ?4)"};
    inside_tables inside_{*db_};
    row_tables rows_{*db_};
    kept_removals kept_{*db_};
    event_writer events_{*db_};
};

std::vector<stored_state> sqlite_unit_session::find(std::string_view aggregate, const state_query& query) {
    std::vector<stored_state> states;
    auto found = matching(aggregate, query);
    while (found.next()) {
        states.push_back({.id = found.text(0), .version = found.integer(1), .state = found.text(2)});
    }
    return states;
}

rows sqlite_unit_session::matching(std::string_view aggregate, const state_query& query) {
    if (query.field.empty()) return find_all_.query(aggregate, query.limit);
    if (query.field.find_first_of("\"\\") != std::string::npos) {
        throw usage_error{"cannot find by field '" + query.field + "': a field's name has no quote and no backslash"};
    }
    const auto path = "$.\"" + query.field + '"';
    const auto wanted = json::parse(query.equals);
    switch (wanted.kind()) {
        case json::kind::null:
            return find_null_.query(aggregate, path, query.limit);
        case json::kind::boolean:
            return find_boolean_.query(aggregate, path, wanted.as_bool() ? "true" : "false", query.limit);
        case json::kind::string:
            return find_text_.query(aggregate, path, wanted.as_string(), query.limit);
        case json::kind::number:
            return find_number_.query(aggregate, path, query.equals, query.limit);
        default:
            break;
    }
    throw usage_error{
        fmt::format("cannot find by field '{}': compare it with a string, number, boolean or null, not "
                    "with an {}",
                    query.field, json::to_string(wanted.kind()))};
}

std::vector<stream_event> sqlite_unit_session::read_stream(std::string_view stream, std::int64_t from,
                                                           std::size_t limit) {
    std::vector<stream_event> events;
    auto found = read_stream_.query(stream, from, limit);
    while (found.next()) events.push_back(read_stream_event(found));
    return events;
}

std::optional<stream_event> sqlite_unit_session::last_of_stream(std::string_view stream) {
    auto found = last_of_stream_.query(stream);
    if (!found.next()) return std::nullopt;
    return read_stream_event(found);
}

std::optional<projection_gate> sqlite_unit_session::look_at_projection(std::string_view name,
                                                                       const inbox_mark& message) {
    auto found = gate_.query(name, message.handler, message.message_id, message.content);
    if (!found.next()) return std::nullopt;
    const bool marked = !found.null(4);
    const bool done = found.integer(3) != 0 || (marked && found.integer(4) != 0);
    return projection_gate{.generation = found.integer(0),
                           .layout = found.text(1),
                           .built = found.integer(2) != 0,
                           .done = done,
                           .other_content = marked && !done};
}

void sqlite_unit_session::lock(std::string_view key) {
    const auto patience = db_->busy_timeout();
    const auto busy = [&] {
        return store_error{
            fmt::format("{} of sqlite {} was locked for more than {}; try again", key, db_->file().string(),
                        std::chrono::duration_cast<std::chrono::milliseconds>(patience)),
            error_nature::retryable};
    };
    auto in_process = locks_.acquire(key, patience);
    if (!in_process) throw busy();
    file_lock across_processes{db_->file(), key, patience};
    // Where a file cannot be locked, versions still protect what other processes write.
    if (across_processes.result() == file_lock::outcome::busy) throw busy();
    held_.push_back({*std::move(in_process), std::move(across_processes)});
}

/// A command that was done before has moved its aggregates on, too: what is repeated is told so first.
void sqlite_unit_session::commit(const commit_batch& batch) {
    if (batch.empty()) return;
    transaction writing{*db_, transaction::kind::write};
    if (!batch.marks.empty()) {
        const auto at = to_sql(batch.at);
        for (const auto& done : batch.marks) mark(done, at);
    }
    for (const auto& outcome : batch.outcomes) inside_.write(outcome, batch.at);
    for (const auto& change : batch.states) write(change);
    for (const auto& snapshot : batch.snapshots) inside_.write(snapshot);
    for (const auto& each : batch.cancelled) inside_.cancel(each);
    for (const auto& each : batch.scheduled) inside_.schedule(each);
    if (batch.fence) inside_.require(*batch.fence);
    if (batch.projection) rows_.check(*batch.projection);
    for (const auto& row : batch.rows) rows_.write(row);
    if (batch.kept) kept_.remove(batch.kept->at, batch.kept->owner, {&batch.kept->name, 1});
    events_.append(batch.events);
    writing.commit();
}

void sqlite_unit_session::write(const state_write& change) {
    const auto& [what, aggregate, id, version, state] = change;
    switch (what) {
        case state_write::operation::insert:
            if (insert_state_.run_unless_taken(aggregate, id, version, state)) return;
            break;
        case state_write::operation::update:
            if (update_state_.run(aggregate, id, version, state) == 1) return;
            break;
        case state_write::operation::remove:
            if (remove_state_.run(aggregate, id, version) == 1) return;
            break;
    }
    throw wrong_version(change);
}

void sqlite_unit_session::mark(const inbox_mark& mark, const std::string& at) {
    if (mark_.run_unless_taken(mark.message_id, mark.handler, mark.content, at)) return;
    throw handled_before(mark);
}

}  // namespace

std::unique_ptr<unit_session> make_unit_session(std::unique_ptr<connection> db, base::keyed_locks& locks) {
    return std::make_unique<sqlite_unit_session>(std::move(db), locks);
}

}  // namespace sluice::store::sqlite
