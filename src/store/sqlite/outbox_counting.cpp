#include "store/sqlite/outbox_counting.hpp"

#include <algorithm>

#include "store/row_sample.hpp"

namespace sluice::store::sqlite {
namespace {

void note_open(outbox_counts& counts, date_time created_at) {
    counts.oldest_open = std::min(counts.oldest_open.value_or(created_at), created_at);
}

}  // namespace

std::map<std::string, outbox_counts> outbox_counting::summary() {
    std::map<std::string, outbox_counts> summary;
    for (const auto& broker : lines_.brokers_with_rows()) {
        count_rows(broker, lines_.lowest_mark(broker), summary[broker]);
    }
    for (const auto& broker : brokers_.all()) {
        auto& counts = summary[broker.name];
        count_events(broker, lines_.lowest_mark(broker.name), counts);
        if (counts.by_status.empty()) summary.erase(broker.name);
    }
    return summary;
}

/// At and below its mark a broker's rows are all settled: published, or abandoned, and those have an index.
void outbox_counting::count_rows(std::string_view broker, sequence mark, outbox_counts& counts) {
    for (auto above = count_above_.query(broker, mark); above.next();) {
        const auto status = row_status_from(above.view(0));
        counts.by_status[status] = above.integer(1);
        const auto created_at = above.optional_time(2);
        if (is_open(status) && created_at) note_open(counts, *created_at);
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
}

/// What is pending lies above the mark.
void outbox_counting::count_events(const numbered_broker& broker, sequence mark, outbox_counts& counts) {
    if (auto listed = count_listed_.query(broker.number); listed.next() && listed.integer(0) > 0) {
        counts.by_status[row_status::published] += listed.integer(0);
    }
    ledger_.open(broker.number);
    auto last = last_.query();
    if (!last.next()) return;
    std::int64_t pending = 0;
    for (const auto& each : pending_ranges(std::max(mark, broker.floor), ledger_.end(), last.integer(0))) {
        pending += count_pending(broker, each);
        counts.pending_is_estimated |= !is_counted(each);
    }
    if (pending <= 0 && !counts.pending_is_estimated) return;
    // Behind the first open row nothing is older; that row is counted with the others.
    outbox_filter oldest{.target_broker = broker.name, .limit = 1};
    if (auto row = first_open_row_.query(broker.name); row.next() && !row.null(0)) oldest.upto = row.integer(0) - 1;
    for (const auto& line : lines_.list(oldest, status_choice::only(row_status::pending), order::oldest_first)) {
        note_open(counts, line.created_at);
        // A sample may have missed the few that there are.
        pending = std::max<std::int64_t>(pending, 1);
    }
    if (pending > 0) counts.by_status[row_status::pending] += pending;
}

std::int64_t outbox_counting::count_pending(const numbered_broker& broker, const number_range& range) {
    if (is_counted(range)) {
        auto chosen = count_chosen_.query(range.after, range.upto, broker.bit());
        auto rows = count_rows_of_chosen_.query(range.after, range.upto, broker.bit(), broker.name);
        if (!chosen.next() || !rows.next()) return 0;
        return chosen.integer(0) - rows.integer(0) - ledger_.count_above(range.after) + ledger_.count_above(range.upto);
    }
    const auto sample = row_sample::over(range.after + 1, range.upto);
    std::int64_t count = 0;
    for (auto at = sample.first; at <= sample.last; at += sample.step) {
        const auto upto = std::min(at + row_sample::width - 1, range.upto);
        for (auto event = without_row_.query(at - 1, upto, broker.bit(), broker.name); event.next();) {
            if (!ledger_.lists(event.integer(0))) ++count;
        }
    }
    return sample.estimate(count);
}

std::int64_t outbox_counting::estimate_rows(std::string_view broker, sequence from, sequence upto) {
    const auto sample = row_sample::over(from, upto);
    auto found = sample_.query(broker, sample.first, sample.last, sample.step, row_sample::width, upto);
    return found.next() ? sample.estimate(found.integer(0)) : 0;
}

}  // namespace sluice::store::sqlite
