#include "store/operations.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "store/bare_type.hpp"
#include "store/discard_record.hpp"
#include "store/sqlite/audit_reader.hpp"
#include "store/sqlite/lane_rescan.hpp"
#include "store/sqlite/outbox_counting.hpp"
#include "store/sqlite/outbox_listing.hpp"
#include "store/sqlite/sessions.hpp"
#include "store/sqlite/stream_sql.hpp"
#include "store/stream_names.hpp"
#include "store/text_list.hpp"

namespace sluice::store::sqlite {
namespace {

/// The query for the events that match a filter. Every condition has the same parameter whether it is used or not, so
/// one binding serves every shape: ?1 stream, ?2 categories as a JSON array, ?3 type, ?4 correlation, ?5 after, ?6
/// upto, ?7 created from, ?8 created before, ?9 limit.
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

class sqlite_operations_session final : public operations_session {
public:
    explicit sqlite_operations_session(std::unique_ptr<connection> db) : db_{std::move(db)} {}

    std::map<std::string, outbox_counts> outbox_summary() override;
    std::vector<outbox_row> list(const outbox_filter& filter) override;
    std::optional<logged_event> event(std::string_view message_id) override;
    std::vector<stream_event> events(const event_filter& filter) override;
    std::vector<std::string> streams(std::string_view category, std::string_view after, std::size_t limit) override;
    std::vector<std::string> brokers() override;
    audit_page audit(std::string_view broker, sequence after, sequence upto) override {
        const transaction snapshot{*db_, transaction::kind::read};
        return audit_.read(broker, after, upto);
    }
    std::vector<confirmation> confirmations(std::string_view broker, sequence after, sequence upto) override;
    std::vector<located_event> locate(const std::vector<std::string>& message_ids) override;
    void note_audit(std::string_view broker, const audit_note& note) override;
    audit_notes noted_audits() override;
    std::vector<lane_status> lanes() override;
    std::size_t retry(const outbox_filter& filter) override;
    std::size_t discard(const outbox_filter& filter, std::string_view reason, date_time now) override;
    void look_again(std::string_view broker, sequence from) override;
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
    /// Makes one row abandoned, or gives one to an event that is open without one.
    void discard_one(const outbox_row& line, std::string_view record, date_time now);
    /// Facts about brokers in `sluice_meta`, by broker.
    [[nodiscard]] std::map<std::string, std::string> facts(std::string_view prefix);
    void set_fact(std::string_view prefix, std::string_view broker, std::string_view text);
    /// Within a transaction.
    std::size_t forget_handler_here(std::string_view name);
    /// Makes the lanes of these rows' brokers start again at the first of them.
    void rescan(const std::vector<outbox_row>& changed);

    std::unique_ptr<connection> db_;

    outbox_listing lines_{*db_};
    outbox_counting counting_{*db_};
    audit_reader audit_{*db_};
    statement event_{*db_,
                     "SELECT message_id, stream, stream_category, type, data, metadata, created_at FROM event_log"
                     " WHERE message_id = ?1"};
    statement lanes_{*db_,
                     "SELECT lane, owner, epoch, expires_at, mark, state, detail, published, refused, rate, since"
                     " FROM lease ORDER BY lane"};
    statement retry_{
        *db_,
        "UPDATE outbox_row SET status = 'pending', retry_count = 0, next_retry_at = NULL, abandoned_at = NULL"
        " WHERE target_broker = ?1 AND seq = ?2"};
    statement discard_{*db_,
                       "UPDATE outbox_row SET status = 'abandoned', next_retry_at = NULL, last_error = ?3,"
                       " abandoned_at = ?4 WHERE target_broker = ?1 AND seq = ?2"};
    statement discard_event_{*db_,
                             "INSERT INTO outbox_row (target_broker, seq, message_id, stream, priority, status,"
                             " last_error, abandoned_at) SELECT ?1, seq, message_id, stream, priority, 'abandoned', ?3,"
                             " ?4 FROM event_log WHERE seq = ?2"};
    lane_rescan rescan_{*db_};
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
    return counting_.summary();
}

std::vector<std::string> sqlite_operations_session::brokers() {
    const transaction snapshot{*db_, transaction::kind::read};
    return lines_.brokers();
}

std::vector<outbox_row> sqlite_operations_session::list(const outbox_filter& filter) {
    const transaction snapshot{*db_, transaction::kind::read};
    return lines_.list(filter, {}, filter.oldest_first ? order::oldest_first : order::newest_first);
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
    statement select{*db_, select_matching(filter, lines_.is_stream(filter.stream))};
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

std::size_t sqlite_operations_session::retry(const outbox_filter& filter) {
    transaction writing{*db_, transaction::kind::write};
    constexpr status_choice given_up_ones{.published = false, .pending = false};
    const auto given_up = lines_.list(filter, given_up_ones, order::oldest_first);
    if (given_up.empty()) return 0;
    for (const auto& row : given_up) retry_.run(row.target_broker, row.seq);
    rescan(given_up);
    writing.commit();
    return given_up.size();
}

std::size_t sqlite_operations_session::discard(const outbox_filter& filter, std::string_view reason, date_time now) {
    transaction writing{*db_, transaction::kind::write};
    const auto unpublished = lines_.list(filter, {.published = false}, order::oldest_first);
    if (unpublished.empty()) return 0;
    const auto record = discard_record(reason, now);
    for (const auto& line : unpublished) discard_one(line, record, now);
    rescan(unpublished);
    writing.commit();
    return unpublished.size();
}

void sqlite_operations_session::discard_one(const outbox_row& line, std::string_view record, date_time now) {
    if (discard_.run(line.target_broker, line.seq, record, to_sql(now)) > 0) return;
    discard_event_.run(line.target_broker, line.seq, record, to_sql(now));
}

void sqlite_operations_session::pause_lanes(std::string_view broker, const lane_pause& pause) {
    set_fact(pause_prefix, broker, to_text(pause));
}

void sqlite_operations_session::set_fact(std::string_view prefix, std::string_view broker, std::string_view text) {
    statement{*db_,
              "INSERT INTO sluice_meta (key, value) VALUES (?1 || ?2, ?3)"
              " ON CONFLICT (key) DO UPDATE SET value = excluded.value"}
        .run(prefix, broker, text);
}

std::map<std::string, std::string> sqlite_operations_session::facts(std::string_view prefix) {
    std::map<std::string, std::string> all;
    statement read{*db_,
                   "SELECT substr(key, length(?1) + 1), value FROM sluice_meta WHERE substr(key, 1, length(?1)) = ?1"};
    for (auto found = read.query(prefix); found.next();) all.emplace(found.text(0), found.text(1));
    return all;
}

bool sqlite_operations_session::resume_lanes(std::string_view broker) {
    return statement{*db_, "DELETE FROM sluice_meta WHERE key = ?1 || ?2"}.run(pause_prefix, broker) > 0;
}

std::vector<confirmation> sqlite_operations_session::confirmations(std::string_view broker, sequence after,
                                                                   sequence upto) {
    const transaction snapshot{*db_, transaction::kind::read};
    return audit_.confirmations(broker, after, upto);
}

std::vector<located_event> sqlite_operations_session::locate(const std::vector<std::string>& message_ids) {
    return audit_.locate(message_ids);
}

void sqlite_operations_session::note_audit(std::string_view broker, const audit_note& note) {
    set_fact(audit_prefix, broker, to_text(note));
}

audit_notes sqlite_operations_session::noted_audits() {
    audit_notes notes;
    for (const auto& [broker, text] : facts(audit_prefix)) {
        if (const auto note = audit_note_from(text)) notes.emplace(broker, *note);
    }
    return notes;
}

lane_pauses sqlite_operations_session::paused_lanes() {
    lane_pauses pauses;
    for (const auto& [broker, text] : facts(pause_prefix)) pauses[broker] = pause_from(text);
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
    for (const auto& [broker, first] : first_of_broker) rescan_.begin_at(broker, first);
}

void sqlite_operations_session::look_again(std::string_view broker, sequence from) {
    transaction writing{*db_, transaction::kind::write};
    rescan_.begin_at(broker, from);
    writing.commit();
}

}  // namespace

std::unique_ptr<operations_session> make_operations_session(std::unique_ptr<connection> db) {
    return std::make_unique<sqlite_operations_session>(std::move(db));
}

}  // namespace sluice::store::sqlite
