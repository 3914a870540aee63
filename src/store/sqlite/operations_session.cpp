#include "store/operations.hpp"

#include <algorithm>
#include <utility>

#include "store/bare_type.hpp"
#include "store/discard_record.hpp"
#include "store/lane_name.hpp"
#include "store/row_sample.hpp"
#include "store/sqlite/sessions.hpp"
#include "store/sqlite/stream_sql.hpp"
#include "store/stream_names.hpp"
#include "store/text_list.hpp"

namespace sluice::store::sqlite {
namespace {

enum class order { newest_first, oldest_first };

/// The query for the rows that match a filter. Every condition has the same parameter whether it is used or not, so
/// one binding serves every shape: ?1 broker, ?2 status, ?3 stream, ?4 message id, ?5 created before, ?6 after, ?7
/// upto, ?8 limit.
std::string select_matching(const outbox_filter& filter, std::string_view statuses, order direction) {
    std::string sql =
        "SELECT o.seq, o.message_id, o.target_broker, o.stream, o.status, o.priority, o.retry_count, o.next_retry_at,"
        " o.last_error, o.published_at, o.receipt, e.type, e.created_at ";
    // Walks either the broker's own key or the log, both in the order wanted, so that nothing has to be sorted.
    const bool by_broker = !filter.target_broker.empty() && filter.message_id.empty();
    sql += by_broker ? "FROM outbox o CROSS JOIN event_log e ON e.seq = o.seq "
                     : "FROM event_log e CROSS JOIN outbox o ON o.message_id = e.message_id ";
    const std::string seq = by_broker ? "o.seq" : "e.seq";
    sql += "WHERE " + seq + " > ?6";
    if (filter.upto) sql += " AND " + seq + " <= ?7";
    if (!filter.target_broker.empty()) sql += " AND o.target_broker = ?1";
    if (filter.status) sql += " AND o.status = ?2";
    if (!filter.stream.empty()) sql += " AND (e.stream = ?3 OR e.stream_category = ?3)";
    if (!filter.message_id.empty()) sql += " AND e.message_id = ?4";
    if (filter.created_before) sql += " AND e.created_at < ?5";
    if (!statuses.empty()) {
        sql += " AND o.status IN ";
        sql += statuses;
    }
    sql += " ORDER BY " + seq;
    if (direction == order::newest_first) sql += " DESC";
    if (!by_broker) sql += ", o.target_broker";
    sql += " LIMIT ?8";
    return sql;
}

/// The query for the events that match a filter, in the same manner: ?1 stream, ?2 categories as a JSON array, ?3 type,
/// ?4 correlation, ?5 after, ?6 upto, ?7 created from, ?8 created before, ?9 limit.
/// @param is_stream  the filter's stream is one aggregate's: within it, position and seq rise together
std::string select_matching(const event_filter& filter, bool is_stream) {
    std::string sql = event_columns;
    sql += "FROM event_log e WHERE ";
    sql += is_stream ? "+e.seq > ?5 AND e.stream = ?1" : "e.seq > ?5";
    if (!is_stream && !filter.stream.empty()) sql += " AND e.stream_category = ?1";
    if (!filter.stream_categories.empty()) sql += " AND e.stream_category IN (SELECT value FROM json_each(?2))";
    if (!filter.type.empty()) {
        sql += is_bare_type(filter.type) ? " AND e.type GLOB '*.' || ?3 || '.v*'" : " AND e.type = ?3";
    }
    if (!filter.correlation_id.empty()) sql += " AND json_extract(e.metadata, '$.domain.correlation_id') = ?4";
    if (filter.upto) sql += is_stream ? " AND +e.seq <= ?6" : " AND e.seq <= ?6";
    if (filter.created_from) sql += " AND e.created_at >= ?7";
    if (filter.created_before) sql += " AND e.created_at < ?8";
    sql += is_stream ? " ORDER BY e.position" : " ORDER BY e.seq";
    if (filter.newest_first) sql += " DESC";
    sql += " LIMIT ?9";
    return sql;
}

outbox_row read_row(const rows& found) {
    return {.seq = found.integer(0),
            .message_id = found.text(1),
            .target_broker = found.text(2),
            .stream = found.text(3),
            .status = row_status_from(found.view(4)),
            .priority = static_cast<int>(found.integer(5)),
            .retry_count = static_cast<int>(found.integer(6)),
            .next_retry_at = found.optional_time(7),
            .last_error = found.text(8),
            .published_at = found.optional_time(9),
            .receipt = found.text(10),
            .type = found.text(11),
            .created_at = found.time(12)};
}

/// The number up to which every row of the broker is settled; 0 when no lane of it ever ran.
sequence lowest_mark(std::string_view broker, const std::vector<lane_status>& leases) {
    std::optional<sequence> lowest;
    for (const auto& lease : leases) {
        if (broker_of(lease.lane) == broker) lowest = std::min(lowest.value_or(lease.mark), lease.mark);
    }
    return lowest.value_or(0);
}

class sqlite_operations_session final : public operations_session {
public:
    explicit sqlite_operations_session(std::unique_ptr<connection> db) : db_{std::move(db)} {}

    std::map<std::string, outbox_counts> outbox_summary() override;
    std::vector<outbox_row> list(const outbox_filter& filter) override {
        return matching(filter, "", filter.oldest_first ? order::oldest_first : order::newest_first);
    }
    std::optional<logged_event> event(std::string_view message_id) override;
    std::vector<stream_event> events(const event_filter& filter) override;
    std::vector<std::string> streams(std::string_view category, std::string_view after, std::size_t limit) override;
    std::vector<lane_status> lanes() override;
    std::size_t retry(const outbox_filter& filter) override;
    std::size_t discard(const outbox_filter& filter, std::string_view reason, date_time now) override;
    void pause_lanes(std::string_view broker, const lane_pause& pause) override;
    bool resume_lanes(std::string_view broker) override;
    lane_pauses paused_lanes() override;
    std::size_t rename_handler(std::string_view from, std::string_view to) override;
    std::size_t forget_handler(std::string_view name) override;
    std::size_t purge_inbox(date_time before, std::size_t limit) override {
        return static_cast<std::size_t>(purge_inbox_.run(to_sql(before), limit));
    }
    std::size_t purge_outcomes(date_time before, std::size_t limit) override {
        return static_cast<std::size_t>(purge_outcomes_.run(to_sql(before), limit));
    }

private:
    [[nodiscard]] outbox_counts count(std::string_view broker, sequence mark);
    /// How many rows the broker has from one number up to another, from a sample.
    [[nodiscard]] std::int64_t estimate_rows(std::string_view broker, sequence from, sequence upto);
    [[nodiscard]] std::vector<outbox_row> matching(const outbox_filter& filter, std::string_view statuses,
                                                   order direction);
    /// Within a transaction.
    std::size_t forget_handler_here(std::string_view name);
    /// Makes the lanes of these rows' brokers start again at the first of them.
    void rescan(const std::vector<outbox_row>& changed);

    std::unique_ptr<connection> db_;

    statement brokers_{*db_,
                       "WITH RECURSIVE broker (name) AS (SELECT min(target_broker) FROM outbox UNION ALL"
                       " SELECT (SELECT min(target_broker) FROM outbox WHERE target_broker > name) FROM broker"
                       " WHERE name IS NOT NULL) SELECT name FROM broker WHERE name IS NOT NULL"};
    statement count_above_{*db_,
                           "SELECT status, count, (SELECT created_at FROM event_log WHERE event_log.seq = first)"
                           " FROM (SELECT status, count(*) AS count, min(seq) AS first FROM outbox"
                           " WHERE target_broker = ?1 AND seq > ?2 GROUP BY status)"};
    statement count_below_{*db_,
                           "SELECT count(*), min(seq) FROM (SELECT seq FROM outbox WHERE target_broker = ?1"
                           " AND seq <= ?2 ORDER BY seq LIMIT ?3)"};
    statement count_abandoned_below_{*db_,
                                     "SELECT count(*) FROM outbox INDEXED BY outbox_abandoned"
                                     " WHERE target_broker = ?1 AND seq <= ?2 AND abandoned_at IS NOT NULL"};
    statement sample_{*db_,
                      "WITH RECURSIVE beginning (at) AS (VALUES (?2) UNION ALL"
                      " SELECT at + ?4 FROM beginning WHERE at + ?4 <= ?3)"
                      " SELECT sum((SELECT count(*) FROM outbox WHERE target_broker = ?1 AND seq >= at"
                      " AND seq < at + ?5 AND seq <= ?6)) FROM beginning"};
    statement event_{*db_,
                     "SELECT message_id, stream, stream_category, type, data, metadata, created_at FROM event_log"
                     " WHERE message_id = ?1"};
    statement is_stream_{*db_, "SELECT 1 FROM event_log WHERE stream = ?1 LIMIT 1"};
    statement lanes_{*db_,
                     "SELECT lane, owner, epoch, expires_at, mark, state, detail, published, refused, rate, since"
                     " FROM lease ORDER BY lane"};
    statement retry_{*db_,
                     "UPDATE outbox SET status = 'pending', retry_count = 0, next_retry_at = NULL, abandoned_at = NULL"
                     " WHERE target_broker = ?1 AND seq = ?2"};
    statement discard_{*db_,
                       "UPDATE outbox SET status = 'abandoned', next_retry_at = NULL, last_error = ?3,"
                       " abandoned_at = ?4 WHERE target_broker = ?1 AND seq = ?2"};
    statement rescan_{*db_, "UPDATE lease SET mark = min(mark, ?2), rescan = rescan + 1 WHERE lane = ?1"};
    statement purge_inbox_{
        *db_,
        "DELETE FROM inbox WHERE (message_id, handler, content) IN (SELECT message_id, handler, content FROM inbox"
        " WHERE processed_at < ?1 ORDER BY processed_at LIMIT ?2)"};
    statement purge_outcomes_{*db_,
                              "DELETE FROM command_outcome WHERE key IN (SELECT key FROM command_outcome"
                              " WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)"};
};

std::map<std::string, outbox_counts> sqlite_operations_session::outbox_summary() {
    const transaction snapshot{*db_, transaction::kind::read};
    std::vector<std::string> brokers;
    for (auto found = brokers_.query(); found.next();) brokers.push_back(found.text(0));
    const auto leases = lanes();
    std::map<std::string, outbox_counts> summary;
    for (const auto& broker : brokers) summary.emplace(broker, count(broker, lowest_mark(broker, leases)));
    return summary;
}

/// At and below its mark a broker's rows are all settled: published, or abandoned, and those have an index.
outbox_counts sqlite_operations_session::count(std::string_view broker, sequence mark) {
    outbox_counts counts;
    for (auto above = count_above_.query(broker, mark); above.next();) {
        const auto status = row_status_from(above.view(0));
        counts.by_status[status] = above.integer(1);
        const auto created_at = above.optional_time(2);
        if (!is_open(status) || !created_at) continue;
        counts.oldest_open = std::min(counts.oldest_open.value_or(*created_at), *created_at);
    }
    std::int64_t settled = 0;
    sequence first = 0;
    if (auto below = count_below_.query(broker, mark, most_counted_rows + 1); below.next()) {
        settled = below.integer(0);
        first = below.integer(1);
    }
    if (settled > most_counted_rows) {
        settled = std::max(settled, estimate_rows(broker, first, mark));
        counts.published_is_estimated = true;
    }
    auto found = count_abandoned_below_.query(broker, mark);
    const std::int64_t abandoned = found.next() ? found.integer(0) : 0;
    if (abandoned != 0) counts.by_status[row_status::abandoned] += abandoned;
    if (settled > abandoned) counts.by_status[row_status::published] += settled - abandoned;
    return counts;
}

std::int64_t sqlite_operations_session::estimate_rows(std::string_view broker, sequence from, sequence upto) {
    const auto sample = row_sample::over(from, upto);
    auto found = sample_.query(broker, sample.first, sample.last, sample.step, row_sample::width, upto);
    return found.next() ? sample.estimate(found.integer(0)) : 0;
}

std::optional<logged_event> sqlite_operations_session::event(std::string_view message_id) {
    auto found = event_.query(message_id);
    if (!found.next()) return std::nullopt;
    return logged_event{.message_id = found.text(0),
                        .stream = found.text(1),
                        .stream_category = found.text(2),
                        .type = found.text(3),
                        .data = found.text(4),
                        .metadata = found.text(5),
                        .created_at = found.time(6)};
}

std::vector<lane_status> sqlite_operations_session::lanes() {
    std::vector<lane_status> all;
    auto found = lanes_.query();
    while (found.next()) {
        all.push_back({.lane = found.text(0),
                       .owner = found.text(1),
                       .epoch = static_cast<std::uint64_t>(found.integer(2)),
                       .expires_at = found.time(3),
                       .mark = found.integer(4),
                       .state = found.text(5),
                       .detail = found.text(6),
                       .published = found.integer(7),
                       .refused = found.integer(8),
                       .rate = found.real(9),
                       .since = found.time(10)});
    }
    return all;
}

std::vector<stream_event> sqlite_operations_session::events(const event_filter& filter) {
    const bool is_stream = !filter.stream.empty() && is_stream_.query(filter.stream).next();
    statement select{*db_, select_matching(filter, is_stream)};
    std::vector<stream_event> matches;
    auto found = select.query(filter.stream, text_list(filter.stream_categories), filter.type, filter.correlation_id,
                              filter.after, filter.upto, to_sql(filter.created_from), to_sql(filter.created_before),
                              filter.limit);
    while (found.next()) matches.push_back(read_stream_event(found));
    return matches;
}

std::vector<std::string> sqlite_operations_session::streams(std::string_view category, std::string_view after,
                                                            std::size_t limit) {
    const auto range = names_of_category(category, after);
    statement select{*db_, streams_sql};
    std::vector<std::string> names;
    auto found = select.query(category, range.after, range.before, limit);
    while (found.next()) names.push_back(found.text(0));
    return names;
}

std::vector<outbox_row> sqlite_operations_session::matching(const outbox_filter& filter, std::string_view statuses,
                                                            order direction) {
    std::optional<std::string_view> status;
    if (filter.status) status = to_string(*filter.status);
    statement select{*db_, select_matching(filter, statuses, direction)};
    std::vector<outbox_row> matches;
    auto found = select.query(filter.target_broker, status, filter.stream, filter.message_id,
                              to_sql(filter.created_before), filter.after, filter.upto, filter.limit);
    while (found.next()) matches.push_back(read_row(found));
    return matches;
}

std::size_t sqlite_operations_session::retry(const outbox_filter& filter) {
    transaction writing{*db_, transaction::kind::write};
    const auto given_up = matching(filter, "('failed', 'abandoned')", order::oldest_first);
    if (given_up.empty()) return 0;
    for (const auto& row : given_up) retry_.run(row.target_broker, row.seq);
    rescan(given_up);
    writing.commit();
    return given_up.size();
}

std::size_t sqlite_operations_session::discard(const outbox_filter& filter, std::string_view reason, date_time now) {
    transaction writing{*db_, transaction::kind::write};
    const auto unpublished = matching(filter, "('pending', 'processing', 'failed', 'abandoned')", order::oldest_first);
    if (unpublished.empty()) return 0;
    const auto record = discard_record(reason, now);
    for (const auto& row : unpublished) discard_.run(row.target_broker, row.seq, record, to_sql(now));
    rescan(unpublished);
    writing.commit();
    return unpublished.size();
}

void sqlite_operations_session::pause_lanes(std::string_view broker, const lane_pause& pause) {
    statement{*db_,
              "INSERT INTO sluice_meta (key, value) VALUES (?1 || ?2, ?3)"
              " ON CONFLICT (key) DO UPDATE SET value = excluded.value"}
        .run(pause_prefix, broker, to_text(pause));
}

bool sqlite_operations_session::resume_lanes(std::string_view broker) {
    return statement{*db_, "DELETE FROM sluice_meta WHERE key = ?1 || ?2"}.run(pause_prefix, broker) > 0;
}

lane_pauses sqlite_operations_session::paused_lanes() {
    lane_pauses pauses;
    statement read{*db_,
                   "SELECT substr(key, length(?1) + 1), value FROM sluice_meta WHERE substr(key, 1, length(?1)) = ?1"};
    for (auto found = read.query(pause_prefix); found.next();) pauses[found.text(0)] = pause_from(found.view(1));
    return pauses;
}

std::size_t sqlite_operations_session::rename_handler(std::string_view from, std::string_view to) {
    transaction writing{*db_, transaction::kind::write};
    statement{*db_,
              "INSERT INTO inbox (message_id, handler, content, processed_at)"
              " SELECT message_id, ?2, content, processed_at FROM inbox WHERE handler = ?1 ON CONFLICT DO NOTHING"}
        .run(from, to);
    const auto marks = forget_handler_here(from);
    statement{*db_, "UPDATE projection SET reader = ?2 WHERE reader = ?1"}.run(from, to);
    writing.commit();
    return marks;
}

std::size_t sqlite_operations_session::forget_handler(std::string_view name) {
    transaction writing{*db_, transaction::kind::write};
    const auto marks = forget_handler_here(name);
    writing.commit();
    return marks;
}

std::size_t sqlite_operations_session::forget_handler_here(std::string_view name) {
    statement{*db_, "DELETE FROM lease WHERE lane = 'sequential/' || ?1"}.run(name);
    return static_cast<std::size_t>(statement{*db_, "DELETE FROM inbox WHERE handler = ?1"}.run(name));
}

void sqlite_operations_session::rescan(const std::vector<outbox_row>& changed) {
    std::map<std::string, sequence, std::less<>> first_of_broker;
    for (const auto& row : changed) {
        auto& first = first_of_broker.try_emplace(row.target_broker, row.seq).first->second;
        first = std::min(first, row.seq);
    }
    for (const auto& lane : lanes()) {
        const auto first = first_of_broker.find(broker_of(lane.lane));
        if (first != first_of_broker.end()) rescan_.run(lane.lane, first->second - 1);
    }
}

}  // namespace

std::unique_ptr<operations_session> make_operations_session(std::unique_ptr<connection> db) {
    return std::make_unique<sqlite_operations_session>(std::move(db));
}

}  // namespace sluice::store::sqlite
