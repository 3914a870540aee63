#include "store/row_source.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "store/lane_name.hpp"
#include "store/ledger.hpp"
#include "store/postgresql/broker_numbers.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/lane_link.hpp"
#include "store/postgresql/lane_sql.hpp"
#include "store/postgresql/ledger_merge.hpp"
#include "store/postgresql/ledger_sql.hpp"
#include "store/postgresql/row_reader.hpp"
#include "store/postgresql/sessions.hpp"
#include "store/sql_limit.hpp"

namespace sluice::store::postgresql {
namespace {

using steady = std::chrono::steady_clock;

/// How far ahead of its rows a lane looks through the log in one call: a lane whose rows are rare among the events
/// reads much of the log for each. Bounded, so that a call stays short; the lane is back at once for the rest.
constexpr std::size_t smallest_window = 64;
constexpr std::size_t largest_window = 65'536;
constexpr int most_windows = 8;
/// A lane that finds fewer events than this in the log has nearly caught up.
constexpr std::size_t head_window = 128;

/// A lane that sends events one by one writes a record for each; so often they are made fewer.
constexpr int records_between_merges = 1000;

std::vector<gap_tracker::writer> writers_in(const result& found) {
    const auto names = found.texts(0, 0);
    const auto idle = found.texts(0, 1);
    std::vector<gap_tracker::writer> all;
    for (std::size_t i = 0; i < names.size(); ++i) all.push_back({.name = names[i], .idle_since = idle.at(i)});
    return all;
}

/// What a look at the log has passed.
struct walk {
    sequence upto = 0;
    std::int64_t events = 0;
    std::vector<gap_tracker::range> missing{};  ///< numbers above those looked at before
};

walk read_walk(const result& found) {
    walk passed{.upto = found.integer(0, due_column::upto), .events = found.integer(0, due_column::scanned)};
    const auto firsts = found.integers(0, due_column::firsts);
    const auto lasts = found.integers(0, due_column::lasts);
    for (std::size_t i = 0; i < firsts.size(); ++i) passed.missing.push_back({firsts[i], lasts.at(i)});
    return passed;
}

/// The same of a look at the head of the log.
/// @param high  the highest number looked at before
/// @param most  as many events as were asked for: when so many came, there may be more
walk read_walk_at_head(const result& found, sequence high, std::int64_t most) {
    if (found.null(0, head_column::row)) return {.upto = high};
    walk passed{.events = found.rows()};
    for (int row = 0; row < found.rows(); ++row) {
        const auto number = found.integer(row, head_column::row);
        assert(number > passed.upto);
        const auto before = std::max(passed.upto, high);
        if (number > before + 1) passed.missing.push_back({before + 1, number - 1});
        passed.upto = number;
    }
    if (passed.events < most) passed.upto = std::max(passed.upto, high);
    return passed;
}

/// They mostly are in order, and exchanging rows is dear.
void sort_by_number(std::vector<due_row>& rows) {
    if (!std::ranges::is_sorted(rows, {}, &due_row::seq)) std::ranges::sort(rows, {}, &due_row::seq);
}

class postgresql_row_source final : public row_source {
public:
    explicit postgresql_row_source(std::shared_ptr<lane_link> link) : link_{std::move(link)} {}

    due_batch due(const lease_grant& grant, std::string_view target_broker, sequence after,
                  const page_size& limit) override;
    due_batch due_in_stream(const lease_grant& grant, std::string_view target_broker, std::string_view stream,
                            sequence after, sequence upto, const page_size& limit) override;

    settle_outcome settle(const lease_grant& grant, std::string_view target_broker,
                          std::span<const settlement> settlements, sequence mark) override;

    backfill_step give_backfill(const lease_grant& grant, std::string_view target_broker, date_time now,
                                std::size_t most) override;

    wake_reason wait(wake_signal& signal, duration timeout) override;

    std::size_t purge(const lease_grant& grant, std::string_view target_broker, date_time published_before,
                      date_time abandoned_before, std::size_t limit) override;

private:
    void remember_witness(const lease_grant& grant, const due_batch& batch);
    /// Rows above `after`, of the numbers looked at and of one window more. True when the log goes on behind it;
    /// `more` of the batch is set when the page was full before.
    [[nodiscard]] bool look(connection& server, const lease_grant& grant, std::string_view target_broker,
                            sequence after, const page_size& limit, page_meter& page, std::size_t window,
                            due_batch& batch);
    /// True when all of them were taken.
    [[nodiscard]] bool take_late_rows(const result& found, sequence after, page_meter& page, lane_memory& memory,
                                      due_batch& batch);
    [[nodiscard]] std::optional<sequence> barrier(const gap_tracker& gaps) const;
    void hold_back(const gap_tracker& gaps, sequence barrier, due_batch& batch);
    /// @param column  the first of them
    [[nodiscard]] static bool read_lease_columns(const result& found, int column, due_batch& batch);
    [[nodiscard]] lane_ledger& ledger_of(connection& server, const lease_grant& grant, std::string_view target_broker);
    [[nodiscard]] settle_outcome try_to_settle(const lease_grant& grant, std::string_view target_broker,
                                               std::span<const settlement> settlements, sequence mark);
    void add_record(exchange& trip, const lease_grant& grant, std::string_view target_broker,
                    const ledger_record& record) const;
    void add_rows(exchange& trip, const lease_grant& grant, std::string_view target_broker,
                  std::span<const settlement* const> rows) const;

    std::shared_ptr<lane_link> link_;
    bool held_ = false;                                         ///< rows were held back, and that ends soon
    bool weighs_ = false;                                       ///< large rows were met: the server counts their bytes
    bool near_head_ = false;                                    ///< the last look reached the end of the log soon
    std::map<std::string, sequence, std::less<>> purged_upto_;  ///< per broker, where the next purge goes on
    ledger_merge merge_;
    int unmerged_ = 0;  ///< records written since the last merge
};

void postgresql_row_source::remember_witness(const lease_grant& grant, const due_batch& batch) {
    if (batch.rows.empty()) return;
    const auto memory = link_->shared.memory_of(grant);
    const auto& last = batch.rows.back();
    if (last.seq < memory->witness) return;
    memory->witness = last.seq;
    memory->witness_id = last.event.message_id;
    memory->witness_time = last.event.created_at;
}

due_batch postgresql_row_source::due(const lease_grant& grant, std::string_view target_broker, sequence after,
                                     const page_size& limit) {
    due_batch batch;
    auto* const server = link_->db_of(grant);
    batch.owned = server != nullptr;
    if (!batch.owned) return batch;
    const auto& gaps = link_->gaps_of(grant);
    page_meter page{limit};
    auto window = std::max(limit.rows, smallest_window);
    held_ = false;
    bool more = look(*server, grant, target_broker, after, limit, page, window, batch);
    const auto has_room = [&] { return !batch.more && batch.rows.size() < limit.rows; };
    for (int windows = 1; more && has_room() && windows < most_windows && !barrier(gaps); ++windows) {
        window = std::min(4 * window, largest_window);
        sort_by_number(batch.rows);  // one that was late may have come last
        const auto from = std::max({after, batch.upto, batch.rows.empty() ? after : batch.rows.back().seq});
        more = look(*server, grant, target_broker, from, limit, page, window, batch);
    }
    sort_by_number(batch.rows);
    if (!batch.owned) {
        batch.rows.clear();
        return batch;
    }
    remember_witness(grant, batch);
    batch.more = batch.more || more;
    if (const auto closed = barrier(gaps)) hold_back(gaps, *closed, batch);
    batch.horizon = gaps.horizon();
    batch.gaps = gaps.gaps().size();
    batch.crowded = gaps.full();
    batch.mark = link_->mark_of(grant, batch.mark, batch.rescan);
    link_->seen = {.lane = grant.lane,
                   .broker = std::string{target_broker},
                   .owner = grant.owner,
                   .epoch = grant.epoch,
                   .rescan = batch.rescan,
                   .high = gaps.high(),
                   .mine = true,
                   .unfinished = more || batch.more || !gaps.empty(),
                   .held = held_};
    if (!batch.rows.empty()) link_->wake.found_rows(*server);
    return batch;
}

bool postgresql_row_source::look(connection& server, const lease_grant& grant, std::string_view target_broker,
                                 sequence after, const page_size& limit, page_meter& page, std::size_t window,
                                 due_batch& batch) {
    auto& ledger = ledger_of(server, grant, target_broker);
    const auto memory = link_->shared.memory_of(grant);
    auto& gaps = memory->gaps;
    const auto part = shard_of(grant.lane);
    const auto now = steady::now();
    if (gaps.full()) window = 0;
    // What lies below the end of the ledger is looked at in pieces of a bounded length.
    const bool is_behind = after < ledger.end;
    const auto bound =
        is_behind ? std::min(ledger.end, after + sql_limit(largest_window)) : std::numeric_limits<sequence>::max();

    exchange trip{server};
    link_->wake.get_up(trip);
    // Before the look at the gaps, so that its answer is older.
    std::optional<std::size_t> writers;
    if (gaps.wants_writers(now)) writers = trip.add(link_->sql.writers);
    trip.end();
    std::optional<std::size_t> late;
    const auto bytes = sql_limit(limit.bytes);
    const bool weighed = weighs_;
    const auto large = limit.bytes / (2 * std::max(limit.rows, smallest_window));  // as many others fit in any case
    const auto most_late = std::max(limit.rows, smallest_window);
    if (!gaps.empty()) {
        // One snapshot for the gaps and the rows. Otherwise an older event of a stream could commit after the one look
        // and a newer one before the other, and they would change places.
        trip.begin_snapshot();
        array<std::int64_t> firsts;
        array<std::int64_t> lasts;
        for (const auto& [first, last] : gaps.gaps()) {
            firsts.push(first);
            lasts.push(last);
        }
        late = trip.add(link_->sql.late, parameters{target_broker, firsts, lasts, sql_limit(most_late),
                                                    std::int32_t{part.number}, std::int32_t{part.count}, bytes});
    }
    link_->guard_timeline(trip, server, grant);
    const auto& sql = link_->sql;
    const bool at_head = near_head_ && !is_behind && !weighed && part.is_whole() && window != 0;
    const auto most_at_head = std::clamp(limit.rows, smallest_window, head_window);
    const auto ahead = [&] {
        if (at_head) {
            return trip.add(sql.due_at_head, parameters{grant.lane, grant.owner, grant.epoch, target_broker, after,
                                                        sql_limit(most_at_head), sql_limit(large)});
        }
        parameters with{grant.lane,
                        grant.owner,
                        grant.epoch,
                        target_broker,
                        after,
                        sql_limit(limit.rows - batch.rows.size()),
                        gaps.high(),
                        sql_limit(window),
                        std::int32_t{part.number},
                        std::int32_t{part.count},
                        weighed ? bytes : sql_limit(large)};
        if (is_behind) with.add(bound);
        if (is_behind) return trip.add(weighed ? sql.due_behind_by_weight : sql.due_behind, with);
        return trip.add(weighed ? sql.due_by_weight : sql.due, with);
    }();
    std::optional<std::size_t> transaction;
    if (gaps.wants_bound()) transaction = trip.add(link_->sql.next_transaction);
    if (!link_->run_guarded(trip, server, grant)) {
        batch.owned = false;
        return false;
    }

    const auto& found = trip[ahead];
    if (!read_lease_columns(found, at_head ? int{head_column::lease} : int{due_column::lease}, batch)) return false;
    bool gaps_are_done = true;
    if (late) {
        const auto& appeared = trip[*late];
        gaps_are_done =
            take_late_rows(appeared, after, page, *memory, batch) && appeared.rows() < static_cast<int>(most_late);
        if (gaps_are_done) {
            if (writers) {
                gaps.writers(writers_in(trip[*writers]), trip[*writers].integer(0, 2), now);
            }
            gaps.all_ended_below(appeared.integer(0, late_column::oldest_transaction));
        }
    }
    if (transaction) gaps.bound(trip[*transaction].integer(0, 0));

    const auto walked = at_head ? read_walk_at_head(found, gaps.high(), sql_limit(most_at_head)) : read_walk(found);
    gaps.scanned(walked.upto, walked.missing, now);
    near_head_ = walked.events < sql_limit(most_at_head);

    if (!gaps_are_done) return true;  // first the rest of what was late: among it are older events of these streams
    const int first = at_head ? int{head_column::row} : int{due_column::row};
    bool has_large = false;
    batch.rows.reserve(batch.rows.size() + static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows() && batch.rows.size() < limit.rows; ++row) {
        if (found.null(row, first)) continue;
        if (at_head && !found.boolean(row, head_column::open)) continue;
        if (at_head && batch.backfill && found.integer(row, first) > batch.backfill->position) break;
        if (found.null(row, first + row_column::data) || found.null(row, first + row_column::metadata)) {
            weighs_ = true;
            if (batch.rows.empty()) return look(server, grant, target_broker, after, limit, page, window, batch);
            batch.more = true;
            break;
        }
        auto one = read_due_row(found, row, first);
        if (!page.admits(bytes_of(one))) {
            batch.more = true;
            break;
        }
        has_large = has_large || std::max(one.event.data.size(), one.event.metadata.size()) >= large;
        gaps.appeared(one.seq);
        if (found.boolean(row, first + row_column::has_row)) ledger.rows.insert(one.seq);
        batch.rows.push_back(std::move(one));
    }
    if (page.may_be_cut()) batch.more = true;
    if (weighed) weighs_ = has_large || batch.more;
    const auto seen = batch.backfill ? std::min(walked.upto, batch.backfill->position) : walked.upto;
    const bool is_full = batch.more || batch.rows.size() == limit.rows;
    batch.upto = is_full ? std::max(after, batch.rows.back().seq) : std::min(seen, bound);
    if (bound < seen) return true;
    const bool is_held_back = batch.backfill && batch.backfill->position <= walked.upto;
    return !is_held_back && window != 0 && walked.events == sql_limit(at_head ? most_at_head : window);
}

bool postgresql_row_source::read_lease_columns(const result& found, int column, due_batch& batch) {
    batch.owned = found.boolean(0, column + lease_column::owned);
    if (!batch.owned) return false;
    batch.rescan = static_cast<std::uint64_t>(found.integer(0, column + lease_column::rescan));
    batch.mark = found.integer(0, column + lease_column::mark);
    batch.backfill.reset();
    if (!found.null(0, column + lease_column::filled)) {
        batch.backfill = {.position = found.integer(0, column + lease_column::filled),
                          .upto = found.integer(0, column + lease_column::fill_upto),
                          .is_paused = found.boolean(0, column + lease_column::fill_paused)};
    }
    return true;
}

/// A row that appeared at or below the cursor goes to the front of the batch; one above it is found there in its turn.
/// No newer row of its stream has been seen: that one was written after the older had committed (`commit_call` locks
/// the stream), so the order of the stream is kept.
bool postgresql_row_source::take_late_rows(const result& found, sequence after, page_meter& page, lane_memory& memory,
                                           due_batch& batch) {
    auto& gaps = memory.gaps;
    auto& rows = memory.ledger.rows;
    for (int row = 0; row < found.rows(); ++row) {
        if (found.null(row, late_column::seq)) continue;
        const auto number = found.integer(row, late_column::seq);
        const bool is_open_here = !found.null(row, late_column::row);
        if (number <= after && is_open_here) {
            auto one = read_due_row(found, row, late_column::row);
            if (found.boolean(row, late_column::row + row_column::has_row)) rows.insert(number);
            batch.more = !page.admits(bytes_of(one));
            if (batch.more) return false;  // the rest stays missing and is found again in the next call
            batch.rows.push_back(std::move(one));
        }
        gaps.appeared(number);
    }
    batch.more = !found.null(0, late_column::offered) && found.integer(0, late_column::offered) > found.rows();
    return !batch.more;
}

/// The number that the lane must not go past now. Where it waits for nothing, it goes past all.
std::optional<sequence> postgresql_row_source::barrier(const gap_tracker& gaps) const {
    const auto& options = link_->shared.options;
    return gaps.barrier(options.strict_order ? std::nullopt : std::optional{options.order_wait}, steady::now());
}

/// The cursor does not pass the barrier, so what is held back here is read again from where it is. When there is
/// something to publish first, the lane is to come back without a rest.
void postgresql_row_source::hold_back(const gap_tracker& gaps, sequence barrier, due_batch& batch) {
    const auto held = std::erase_if(batch.rows, [barrier](const due_row& row) { return row.seq > barrier; });
    const bool is_cut = batch.upto >= barrier;
    batch.upto = std::min(batch.upto, barrier - 1);
    // With nothing to publish, asking again at once would find the same.
    if (is_cut && batch.rows.empty()) batch.more = false;
    if (held == 0) return;
    batch.more = !batch.rows.empty();
    held_ = gaps.barrier(link_->shared.options.order_wait, steady::now()).has_value();
}

due_batch postgresql_row_source::due_in_stream(const lease_grant& grant, std::string_view target_broker,
                                               std::string_view stream, sequence after, sequence upto,
                                               const page_size& limit) {
    due_batch batch;
    auto* const server = link_->db_of(grant);
    batch.owned = server != nullptr;
    if (!batch.owned) return batch;
    exchange trip{*server};
    link_->guard_timeline(trip, *server, grant);
    const auto bytes = sql_limit(limit.bytes);
    const auto page = trip.add(link_->sql.due_in_stream, parameters{grant.lane, grant.owner, grant.epoch, target_broker,
                                                                    stream, after, upto, sql_limit(limit.rows), bytes});
    batch.owned = link_->run_guarded(trip, *server, grant);
    if (!batch.owned) return batch;
    const auto& found = trip[page];
    if (!read_lease_columns(found, due_column::lease, batch)) return batch;
    const auto memory = link_->shared.memory_of(grant);
    auto& gaps = memory->gaps;
    page_meter meter{limit};
    for (int row = 0; row < found.rows() && !batch.more; ++row) {
        if (found.null(row, due_column::row)) continue;
        auto one = read_due_row(found, row, due_column::row);
        batch.more = !meter.admits(bytes_of(one));
        if (batch.more) break;
        if (found.boolean(row, due_column::row + row_column::has_row)) memory->ledger.rows.insert(one.seq);
        batch.rows.push_back(std::move(one));
        gaps.appeared(batch.rows.back().seq);  // handed out here, so not once more as a late one
    }
    batch.more = batch.more || meter.may_be_cut();
    batch.horizon = gaps.horizon();
    return batch;
}

lane_ledger& postgresql_row_source::ledger_of(connection& server, const lease_grant& grant,
                                              std::string_view target_broker) {
    auto& ledger = link_->shared.memory_of(grant)->ledger;
    if (ledger.is_known) return ledger;
    const std::int32_t part = ledger_part(shard_of(grant.lane));
    const auto read_end = [&] {
        exchange trip{server};
        link_->guard_timeline(trip, server, grant);
        const auto place = trip.add(link_->sql.ledger_end, parameters{target_broker, part});
        trip.run();
        return trip.take(place);
    };
    auto found = read_end();
    if (found.rows() == 0 || !found.boolean(0, 0)) {
        add_ledger_part(server, link_->shared.options.schema, target_broker, part);
        found = read_end();
    }
    ledger.end = found.integer(0, 1);
    ledger.own_end = found.integer(0, 2);
    ledger.is_known = true;
    return ledger;
}

void postgresql_row_source::add_record(exchange& trip, const lease_grant& grant, std::string_view target_broker,
                                       const ledger_record& record) const {
    const std::int32_t part = ledger_part(shard_of(grant.lane));
    trip.add(link_->sql.list,
             parameters{grant.lane, grant.owner, grant.epoch, target_broker, part, record.after, record.upto,
                        static_cast<std::int32_t>(record.count), array_of(record.seqs), record.settled_at,
                        array_of(record.times), record.receipt_head, record.receipts, link_->shared.our_time()});
}

void postgresql_row_source::add_rows(exchange& trip, const lease_grant& grant, std::string_view target_broker,
                                     std::span<const settlement* const> rows) const {
    array<std::int64_t> seqs;
    array<std::string_view> statuses;
    array<std::int32_t> retry_counts;
    array<date_time> next_retries;
    array<std::string_view> errors;
    array<date_time> published;
    array<date_time> abandoned;
    array<std::string_view> receipts;
    const auto or_null = [](const std::string& text) {
        return text.empty() ? std::nullopt : std::optional<std::string_view>{text};
    };
    for (const auto* outcome : rows) {
        seqs.push(outcome->seq);
        statuses.push(std::string_view{to_string(outcome->status)});
        retry_counts.push(std::int32_t{outcome->retry_count});
        next_retries.push(outcome->next_retry_at);
        errors.push(or_null(outcome->last_error));
        published.push(outcome->published_at);
        abandoned.push(outcome->abandoned_at);
        receipts.push(or_null(outcome->receipt));
    }
    trip.add(link_->sql.settle,
             parameters{grant.lane, grant.owner, grant.epoch, grant.rescan, target_broker, seqs, statuses, retry_counts,
                        next_retries, errors, published, abandoned, receipts, link_->shared.our_time()});
}

settle_outcome postgresql_row_source::settle(const lease_grant& grant, std::string_view target_broker,
                                             std::span<const settlement> settlements, sequence mark) {
    try {
        const auto outcome = try_to_settle(grant, target_broker, settlements, mark);
        if (unmerged_ >= records_between_merges) {
            unmerged_ = 0;
            merge_.run(*link_, grant, target_broker);
        }
        return outcome;
    } catch (const statement_error& refusal) {
        if (refusal.detail() != SLUICE_LEDGER_MOVED) throw;
        return try_to_settle(grant, target_broker, settlements, mark);  // where the ledger ends is asked anew
    }
}

settle_outcome postgresql_row_source::try_to_settle(const lease_grant& grant, std::string_view target_broker,
                                                    std::span<const settlement> settlements, sequence mark) {
    auto* const server = link_->db_of(grant);
    if (server == nullptr) return settle_outcome::fenced;
    const auto memory = link_->shared.memory_of(grant);
    auto& ledger = ledger_of(*server, grant, target_broker);
    const auto sorted =
        sort_settlements(settlements, ledger.own_end, [&ledger](sequence seq) { return ledger.rows.contains(seq); });

    link_->raise_mark_later(grant, mark);
    exchange trip{*server};
    link_->guard_timeline(trip, *server, grant);
    const auto fence = trip.add(link_->sql.fence, parameters{grant.lane, grant.owner, grant.epoch});
    if (sorted.record) add_record(trip, grant, target_broker, *sorted.record);
    if (!sorted.rows.empty()) add_rows(trip, grant, target_broker, sorted.rows);
    link_->raise_mark(trip, grant, false);
    ledger.is_known = false;  // until the answer is there
    for (const auto* row : sorted.rows) ledger.rows.insert(row->seq);
    if (!link_->run_guarded(trip, *server, grant)) return settle_outcome::fenced;
    if (trip[fence].rows() == 0) return settle_outcome::fenced;
    ledger.is_known = true;
    if (sorted.record) {
        ledger.own_end = sorted.record->upto;
        ledger.end = std::max(ledger.end, ledger.own_end);
        ++unmerged_;
    }
    for (const auto* row : sorted.rows) {
        if (!is_open(row->status)) ledger.rows.erase(row->seq);
    }
    return settle_outcome::settled;
}

std::size_t postgresql_row_source::purge(const lease_grant& grant, std::string_view target_broker,
                                         date_time published_before, date_time abandoned_before, std::size_t limit) {
    constexpr std::size_t least_examined = 500;
    const auto most_examined = std::max(least_examined, 4 * limit);
    auto& cursor = purged_upto_.try_emplace(std::string{target_broker}, 0).first->second;
    const auto part = shard_of(grant.lane);

    auto* const server = link_->db_of(grant);
    if (server == nullptr) return 0;
    exchange trip{*server};
    link_->guard_timeline(trip, *server, grant);
    link_->raise_mark(trip, grant, true);
    trip.end();
    link_->guard_timeline(trip, *server, grant);
    // A statement of its own: what follows sees what was committed while this one waited for the lease, a retry first
    // of all.
    trip.add(link_->sql.fence, parameters{grant.lane, grant.owner, grant.epoch});
    const auto place = trip.add(
        link_->sql.purge, parameters{grant.lane, grant.owner, grant.epoch, target_broker, published_before,
                                     abandoned_before, cursor, sql_limit(most_examined), sql_limit(limit),
                                     std::int32_t{part.number}, std::int32_t{part.count}, link_->shared.our_time()});
    const auto records =
        trip.add(link_->sql.purge_ledger,
                 parameters{grant.lane, grant.owner, grant.epoch, target_broker, published_before, sql_limit(limit),
                            link_->shared.our_time(), std::int32_t{ledger_part(part)}});
    if (!link_->run_guarded(trip, *server, grant)) return 0;
    const auto& purged = trip[place];
    const auto count = static_cast<std::size_t>(purged.integer(0, 0));
    if (count == limit) {
        cursor = purged.integer(0, 1);
    } else {
        const bool walked_all = purged.integer(0, 2) == sql_limit(most_examined);
        cursor = walked_all ? purged.integer(0, 3) : 0;
    }
    return count + static_cast<std::size_t>(trip[records].integer(0, 0));
}

backfill_step postgresql_row_source::give_backfill(const lease_grant& grant, std::string_view target_broker,
                                                   date_time now, std::size_t most) {
    auto* const server = link_->db_of(grant);
    if (server == nullptr) return {.owned = false};
    exchange look{*server};
    link_->guard_timeline(look, *server, grant);
    const auto place = look.add(link_->sql.open_backfill, parameters{target_broker, most_open_for_backfill});
    if (!link_->run_guarded(look, *server, grant)) return {.owned = false};
    const auto& found = look[place];
    if (found.rows() == 0) return {.moved = true};
    const bool waits = found.boolean(0, backfill_column::waits);
    const auto pace = pace_of(
        {.order = {.rate = found.real(0, backfill_column::rate)}, .paced_at = found.time(0, backfill_column::paced_at)},
        now, most);
    if (!found.boolean(0, backfill_column::running) || found.boolean(0, backfill_column::awaited) ||
        found.integer(0, backfill_column::open) >= most_open_for_backfill || pace.events == 0) {
        return {};
    }

    const auto number = found.integer(0, backfill_column::number);
    exchange step{*server};
    link_->guard_timeline(step, *server, grant);
    const auto fence = step.add(link_->sql.fence, parameters{grant.lane, grant.owner, grant.epoch});
    if (waits) {
        step.add(link_->sql.end_backfill_wait, parameters{grant.lane, grant.owner, grant.epoch, number});
    } else {
        step.add(link_->sql.give_backfill,
                 parameters{grant.lane, grant.owner, grant.epoch, number, found.integer(0, backfill_column::position),
                            most_examined_for_backfill, target_broker, sql_limit(pace.events), now, pace.from,
                            std::int64_t{pace.per_event.count()}});
    }
    if (!link_->run_guarded(step, *server, grant)) return {.owned = false};
    return {.owned = step[fence].rows() > 0, .moved = true};
}

wake_reason postgresql_row_source::wait(wake_signal& signal, duration timeout) {
    try {
        auto& server = link_->db();
        // A new connection: the next look compares, before anything is written.
        if (link_->seen.mine && !link_->is_compared(link_->seen.lane)) return wake_reason::file_changed;
        if (link_->seen.mine && link_->has_unwritten_mark()) {
            exchange trip{server};
            const lease_grant grant{.lane = link_->seen.lane,
                                    .owner = link_->seen.owner,
                                    .epoch = link_->seen.epoch,
                                    .expires_at = {},
                                    .history = link_->stamp()};
            link_->guard_timeline(trip, server, grant);
            link_->raise_mark(trip, grant, false);
            if (!link_->run_guarded(trip, server, grant)) return wake_reason::file_changed;
        }
        return link_->wake.wait(server, signal, timeout, link_->seen);
    } catch (const connection_lost&) {
        return wake_reason::file_changed;  // the next look connects again
    }
}

}  // namespace

std::unique_ptr<row_source> make_row_source(std::shared_ptr<lane_link> link) {
    return std::make_unique<postgresql_row_source>(std::move(link));
}

}  // namespace sluice::store::postgresql
