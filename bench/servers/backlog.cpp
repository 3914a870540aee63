#include "servers/backlog.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/workload.hpp"
#include "envelope/envelope.hpp"
#include "servers/sections.hpp"

namespace sluice::bench {

namespace {

std::string quoted_list(const std::vector<std::string>& names) {
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
    return list;
}

/// The event that is copied: as Sluice writes it.
std::string commit_template(const std::string& uri) {
    workload work{open_postgresql(uri), 1};
    committer one{work};
    one.commit_one();
    return one.last_message_id();
}

/// What an external message has behind its `data`.
std::string metadata_of_external(const std::string& stored) {
    constexpr std::string_view before = R"({"data":{},"metadata":)";
    const auto message = envelope::render_external("{}", stored);
    return message.substr(before.size(), message.size() - before.size() - 1);
}

constexpr int events_of_record = 1000;

/// Gives the brokers numbers, as the first commit to them does.
void number(const pg_link& db, const std::vector<std::string>& targets) {
    for (const auto& target : targets) {
        db.execute(fmt::format(
            "INSERT INTO outbox_broker (number, name) SELECT coalesce(max(number), -1) + 1, '{0}' FROM outbox_broker "
            "HAVING NOT EXISTS (SELECT FROM outbox_broker WHERE name = '{0}')",
            target));
    }
}

/// SQL: how an event says that it is for these brokers.
std::string bits_of(const std::vector<std::string>& targets) {
    return fmt::format("(SELECT bit_or(1::bigint << number) FROM outbox_broker WHERE name = ANY (ARRAY[{}]))",
                       quoted_list(targets));
}

}  // namespace

void keep_only_template(const pg_link& db, const std::string& message_id) {
    db.execute(
        "CREATE TEMPORARY TABLE template AS SELECT *, substr(stream, length(stream_category) + 2) AS id, "
        "substr(message_id, length(stream_category) + 2) AS tail FROM event_log WHERE message_id = '" +
        message_id + "'");
    db.execute("TRUNCATE outbox_row, outbox_ledger, event_log RESTART IDENTITY");
    db.execute("UPDATE outbox_broker SET floor = 0");
}

void add_copies(const pg_link& db, std::size_t copies, const std::vector<std::string>& targets) {
    number(db, targets);
    db.execute(fmt::format(
        "INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata, "
        "targets) SELECT replace(t.message_id, t.tail, n.tail), replace(t.stream, t.id, n.id), t.stream_category, "
        "n.position, "
        "t.type, now(), replace(t.data::text, t.id, n.id)::json, "
        "replace(replace(t.metadata::text, t.tail, n.tail), t.id, n.id)::json, {} "
        "FROM template AS t, (SELECT 'r' || i % 10000 AS id, i / 10000 AS position, "
        "'r' || i % 10000 || '-' || i / 10000 || '.1' AS tail FROM generate_series(0, {} - 1) AS i) AS n",
        bits_of(targets), copies));
}

backlog::backlog(std::string uri, std::size_t rows, std::vector<std::string> targets, std::size_t history)
    : uri_{std::move(uri)}, rows_{rows}, targets_{std::move(targets)}, db_{uri_}, history_{history} {
    const auto id = commit_template(uri_);
    external_metadata_ =
        metadata_of_external(db_.scalar("SELECT metadata FROM event_log WHERE message_id = '" + id + "'"));
    keep_only_template(db_, id);
    if (history_ != 0) add_history();
    add_copies(db_, rows_, targets_);
    db_.execute("VACUUM ANALYZE event_log");
}

void backlog::add_history() const {
    number(db_, targets_);
    db_.execute(fmt::format(
        "INSERT INTO event_log (message_id, stream, stream_category, position, type, created_at, data, metadata, "
        "targets) SELECT 'bench::reading-h' || i || '-0.1', 'bench::reading-h' || i, 'bench::reading', 0, "
        "'Bench.ReadingTaken.v1', now() - interval '1 hour', '{{}}', '{{}}', {} FROM generate_series(1, {}) AS i",
        bits_of(targets_), history_));
    db_.execute(fmt::format(
        "UPDATE outbox_broker SET parts = '{{101}}' WHERE name = ANY (ARRAY[{0}]); "
        "INSERT INTO outbox_ledger (broker, part, after, upto, count, settled_at, owner, epoch, receipt_head, "
        "receipts) "
        "SELECT number, 101, n * {1}, least(n * {1} + {1}, {2}), least({1}, {2} - n * {1}), now(), 'bench', 1, "
        "'17000', repeat('00000000-0' || E'\\x1f', (least({1}, {2} - n * {1}) - 1)::integer) || '00000000-0' "
        "FROM outbox_broker, generate_series(0, ({2} - 1) / {1}) AS n WHERE name = ANY (ARRAY[{0}])",
        quoted_list(targets_), events_of_record, history_));
}

void backlog::reset() const {
    db_.execute("DELETE FROM lease");
    db_.execute(fmt::format("TRUNCATE outbox_row; DELETE FROM outbox_ledger WHERE upto > {}", history_));
    for (const auto& target : targets_) {
        // A lane that has published the history knows that it need not look there.
        db_.execute(
            fmt::format("INSERT INTO lease (lane, broker, owner, epoch, expires_at, mark, state, since) "
                        "VALUES ('default:{0}', '{0}', '', 1, now(), {1}, 'idle', now())",
                        target, history_));
    }
    db_.execute("VACUUM ANALYZE outbox_ledger");
    db_.execute("VACUUM FULL lease");
    db_.execute("CHECKPOINT");
}

}  // namespace sluice::bench
