#include "store/sqlite/outbox_listing.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "store/bare_type.hpp"
#include "store/lane_name.hpp"

namespace sluice::store::sqlite {
namespace {

/// The conditions on event `e`, each with the same parameter whether it is used or not, so that one binding serves
/// every shape: ?1 broker or bits, ?2 stream, ?3 message id, ?4 created before, ?5 after, ?6 upto, ?7 type, ?8 error,
/// ?9 limit.
std::string conditions(const outbox_filter& filter, const std::string& alias) {
    std::string sql = " WHERE " + alias + ".seq > ?5";
    if (filter.upto) sql += " AND " + alias + ".seq <= ?6";
    if (!filter.stream.empty()) sql += " AND (e.stream = ?2 OR e.stream_category = ?2)";
    if (!filter.message_id.empty()) sql += " AND " + alias + ".message_id = ?3";
    if (filter.created_before) sql += " AND e.created_at < ?4";
    if (!filter.type.empty()) {
        sql += is_bare_type(filter.type) ? " AND e.type GLOB '*.' || ?7 || '.v*'" : " AND e.type = ?7";
    }
    return sql;
}

std::string order_by(const std::string& column, order direction) {
    return " ORDER BY " + column + (direction == order::newest_first ? " DESC" : "") + " LIMIT ?9";
}

/// Walks the broker's own key, so that nothing has to be sorted. CROSS JOIN keeps the order of the loops.
std::string select_rows(const outbox_filter& filter, const status_choice& wanted, order direction) {
    const bool is_one = filter.status && wanted.contains(*filter.status);
    const auto words = is_one ? "('" + std::string{to_string(*filter.status)} + "')" : wanted.words();
    return "SELECT o.seq, o.message_id, o.target_broker, o.stream, o.status, o.priority, o.retry_count,"
           " o.next_retry_at, o.last_error, o.published_at, o.receipt, e.type, e.created_at"
           " FROM outbox_row o CROSS JOIN event_log e ON e.seq = o.seq" +
           conditions(filter, "o") + (filter.error.empty() ? "" : " AND instr(lower(o.last_error), lower(?8)) > 0") +
           " AND o.target_broker = ?1 AND o.status IN " + words + order_by("o.seq", direction);
}

/// Walks the log, or one aggregate's stream: within it, position and number rise together.
std::string select_events(const outbox_filter& filter, order direction, bool is_stream) {
    const std::string of_event =
        "SELECT e.seq, e.message_id, e.targets, e.stream, e.priority, e.type, e.created_at FROM event_log e";
    if (!is_stream) return of_event + conditions(filter, "e") + " AND e.targets & ?1" + order_by("e.seq", direction);
    return of_event + conditions(filter, "+e") + " AND e.stream = ?2 AND e.targets & ?1" +
           order_by("e.position", direction);
}

outbox_row read_outbox_row(const sqlite::rows& found) {
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

void sort_lines(std::vector<outbox_row>& lines, order direction) {
    std::ranges::sort(lines, [direction](const outbox_row& one, const outbox_row& other) {
        if (one.seq != other.seq) return (one.seq < other.seq) == (direction == order::oldest_first);
        return one.target_broker < other.target_broker;
    });
}

}  // namespace

status_choice status_choice::only(row_status status) noexcept {
    return {.published = status == row_status::published,
            .pending = status == row_status::pending,
            .failed = status == row_status::failed || status == row_status::processing,
            .abandoned = status == row_status::abandoned};
}

bool status_choice::contains(row_status status) const noexcept {
    switch (status) {
        case row_status::published:
            return published;
        case row_status::pending:
            return pending;
        case row_status::abandoned:
            return abandoned;
        default:
            return failed;
    }
}

std::string status_choice::words() const {
    std::string words;
    for (const auto status : {row_status::published, row_status::pending, row_status::failed, row_status::processing,
                              row_status::abandoned}) {
        if (!contains(status)) continue;
        words += words.empty() ? "('" : "', '";
        words += to_string(status);
    }
    return words.empty() ? "()" : words + "')";
}

status_choice operator&(const status_choice& one, const status_choice& other) noexcept {
    return {.published = one.published && other.published,
            .pending = one.pending && other.pending,
            .failed = one.failed && other.failed,
            .abandoned = one.abandoned && other.abandoned};
}

std::vector<outbox_row> outbox_listing::list(const outbox_filter& filter, const status_choice& wanted,
                                             order direction) {
    const auto chosen = filter.status ? wanted & status_choice::only(*filter.status) : wanted;
    auto lines = rows(filter, chosen, direction);
    std::ranges::move(events(filter, chosen, direction), std::back_inserter(lines));
    sort_lines(lines, direction);
    if (lines.size() > filter.limit) lines.resize(filter.limit);
    return lines;
}

std::vector<std::string> outbox_listing::brokers_with_rows() {
    std::vector<std::string> names;
    for (auto found = brokers_with_rows_.query(); found.next();) names.push_back(found.text(0));
    return names;
}

std::vector<std::string> outbox_listing::brokers() {
    auto names = brokers_with_rows();
    for (auto& broker : brokers_.all()) names.push_back(std::move(broker.name));
    std::ranges::sort(names);
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

sequence outbox_listing::lowest_mark(std::string_view broker) {
    std::optional<sequence> lowest;
    for (auto found = marks_.query(); found.next();) {
        if (store::broker_of(found.view(0)) != broker) continue;
        lowest = std::min(lowest.value_or(found.integer(1)), found.integer(1));
    }
    return lowest.value_or(0);
}

std::vector<outbox_row> outbox_listing::rows(const outbox_filter& filter, const status_choice& wanted,
                                             order direction) {
    statement select{db_, select_rows(filter, wanted, direction)};
    std::vector<outbox_row> lines;
    for (const auto& broker : brokers_with_rows()) {
        if (!filter.target_broker.empty() && filter.target_broker != broker) continue;
        auto found = select.query(broker, filter.stream, filter.message_id, to_sql(filter.created_before), filter.after,
                                  filter.upto, filter.type, filter.error, filter.limit);
        while (found.next()) lines.push_back(read_outbox_row(found));
    }
    return lines;
}

std::vector<outbox_listing::looked_at> outbox_listing::brokers_of(const outbox_filter& filter,
                                                                  const status_choice& wanted) {
    std::vector<looked_at> all;
    for (auto& broker : brokers_.all()) {
        if (!filter.target_broker.empty() && filter.target_broker != broker.name) continue;
        auto ledger = std::make_unique<ledger_reader>(db_);
        ledger->open(broker.number);
        looked_at one{.broker = std::move(broker), .ledger = std::move(ledger)};
        const auto mark = wanted.published ? 0 : lowest_mark(one.broker.name);
        one.pending_above = std::max(one.broker.floor, mark);
        one.after = wanted.published ? std::min(one.ledger->begin(), one.pending_above) : one.pending_above;
        one.upto = wanted.pending ? std::numeric_limits<sequence>::max() : one.ledger->end();
        all.push_back(std::move(one));
    }
    return all;
}

std::vector<outbox_row> outbox_listing::events(const outbox_filter& filter, const status_choice& wanted,
                                               order direction) {
    std::vector<outbox_row> lines;
    if (!wanted.published && !wanted.pending) return lines;
    if (!filter.error.empty()) return lines;  // without a row there is no error
    const auto brokers = brokers_of(filter, wanted);
    if (brokers.empty()) return lines;
    std::int64_t bits = 0;
    for (const auto& each : brokers) bits |= each.broker.bit();
    auto where = filter;
    where.after = std::max(filter.after, std::ranges::min_element(brokers, {}, &looked_at::after)->after);
    where.upto = std::min(filter.upto.value_or(std::numeric_limits<sequence>::max()),
                          std::ranges::max_element(brokers, {}, &looked_at::upto)->upto);
    statement select{db_, select_events(where, direction, is_stream(filter.stream))};
    auto event = select.query(bits, filter.stream, filter.message_id, to_sql(filter.created_before), where.after,
                              where.upto, filter.type, filter.error, -1);
    while (lines.size() < filter.limit && event.next()) {
        const auto seq = event.integer(0);
        for (const auto& each : brokers) {
            if ((event.integer(2) & each.broker.bit()) == 0) continue;
            const auto line = status_of(seq, each, wanted);
            if (!line) continue;
            lines.push_back({.seq = seq,
                             .message_id = event.text(1),
                             .target_broker = each.broker.name,
                             .stream = event.text(3),
                             .status = line->status,
                             .priority = static_cast<int>(event.integer(4)),
                             .published_at = line->published_at,
                             .receipt = line->receipt,
                             .type = event.text(5),
                             .created_at = event.time(6)});
        }
    }
    return lines;
}

std::optional<settlement> outbox_listing::status_of(sequence seq, const looked_at& at, const status_choice& wanted) {
    if (at.ledger->lists(seq)) return wanted.published ? at.ledger->find(seq) : std::nullopt;
    if (!wanted.pending || seq <= at.pending_above) return std::nullopt;
    if (has_row_.query(at.broker.name, seq).next()) return std::nullopt;
    return settlement{.seq = seq, .status = row_status::pending};
}

}  // namespace sluice::store::sqlite
