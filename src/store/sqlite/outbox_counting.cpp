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

/// What is pending lies above the mark: chosen there, and neither listed nor in a row.
void outbox_counting::count_events(const numbered_broker& broker, sequence mark, outbox_counts& counts) {
    if (auto listed = count_listed_.query(broker.number); listed.next() && listed.integer(0) > 0) {
        counts.by_status[row_status::published] += listed.integer(0);
    }
    const auto above = std::max(mark, broker.floor);
    auto chosen = count_chosen_.query(above, broker.bit());
    auto rows = count_rows_of_chosen_.query(broker.name, above, broker.bit());
    if (!chosen.next() || !rows.next()) return;
    ledger_.open(broker.number);
    const auto pending = chosen.integer(0) - rows.integer(0) - ledger_.count_above(above);
    if (pending <= 0) return;
    counts.by_status[row_status::pending] += pending;
    const outbox_filter oldest{.target_broker = broker.name, .limit = 1};
    for (const auto& line : lines_.list(oldest, status_choice::only(row_status::pending), order::oldest_first)) {
        note_open(counts, line.created_at);
    }
}

std::int64_t outbox_counting::estimate_rows(std::string_view broker, sequence from, sequence upto) {
    const auto sample = row_sample::over(from, upto);
    auto found = sample_.query(broker, sample.first, sample.last, sample.step, row_sample::width, upto);
    return found.next() ? sample.estimate(found.integer(0)) : 0;
}

}  // namespace sluice::store::sqlite
