#include "operate/row_feed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sluice::operate {

namespace {

constexpr std::size_t most_watched = 1'000;
constexpr std::size_t most_remembered = 4 * most_watched;
constexpr std::size_t rows_of_a_page = 500;  ///< more than an event can have rows

}  // namespace

row_feed::row_feed(store::outbox_filter filter, reader give)
    : filter_{std::move(filter)}, give_{std::move(give)}, watched_{std::min(filter_.limit, most_watched)} {}

bool row_feed::begin(std::vector<log_tail>& tails) {
    std::vector<located_row> found;
    for (log_tail& tail : tails) {
        store::outbox_filter newest = filter_;
        newest.upto = tail.upto();
        for (store::outbox_row& row : tail.session().list(newest)) found.push_back({tail.name(), std::move(row)});
        for (const store::outbox_row& row : watched_rows(tail, tail.upto())) static_cast<void>(see(tail, row));
        tail.move_to(tail.upto());
    }
    merge_rows(found, filter_.limit);
    std::ranges::reverse(found);
    return std::ranges::all_of(found, give_);
}

bool row_feed::advance(log_tail& tail) { return give_changes(tail) && give_new(tail); }

std::vector<store::outbox_row> row_feed::watched_rows(const log_tail& tail, store::sequence upto) const {
    store::outbox_filter newest = filter_;
    newest.status.reset();
    newest.upto = upto;
    newest.limit = watched_;
    return tail.session().list(newest);
}

/// Of the rows that were seen.
bool row_feed::give_changes(const log_tail& tail) {
    std::vector<store::outbox_row> rows = watched_rows(tail, tail.position());
    std::ranges::reverse(rows);
    for (const store::outbox_row& row : rows) {
        if (see(tail, row) == shown_lately::news::changed && !give_wanted(tail, row)) return false;
    }
    return true;
}

bool row_feed::give_new(log_tail& tail) {
    store::outbox_filter next = filter_;
    next.status.reset();
    next.oldest_first = true;
    next.limit = rows_of_a_page;
    while (tail.position() < tail.upto()) {
        next.after = tail.position();
        next.upto = tail.upto();
        std::vector<store::outbox_row> found = tail.session().list(next);
        store::sequence reached = tail.upto();
        if (found.size() == rows_of_a_page && found.front().seq < found.back().seq) {
            // Rows of the last event may be missing.
            reached = found.back().seq - 1;
            std::erase_if(found, [&](const store::outbox_row& row) { return row.seq > reached; });
        }
        for (const store::outbox_row& row : found) {
            if (see(tail, row) != shown_lately::news::same && !give_wanted(tail, row)) return false;
        }
        tail.move_to(reached);
    }
    return true;
}

shown_lately::news row_feed::see(const log_tail& tail, const store::outbox_row& row) {
    const auto lately = shown_.try_emplace(tail.name(), shown_lately{most_remembered}).first;
    return lately->second.see(row.seq, row.target_broker,
                              fmt::format("{} {} {}", row.message_id, store::to_string(row.status), row.retry_count));
}

bool row_feed::give_wanted(const log_tail& tail, const store::outbox_row& row) const {
    return (filter_.status && *filter_.status != row.status) || give_({tail.name(), row});
}

}  // namespace sluice::operate
