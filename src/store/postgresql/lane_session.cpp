#include "store/lane_session.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "store/lane_layout.hpp"
#include "store/lane_name.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/history.hpp"
#include "store/postgresql/lane_sql.hpp"
#include "store/postgresql/lane_wake.hpp"
#include "store/postgresql/row_reader.hpp"
#include "store/postgresql/sessions.hpp"

namespace sluice::store::postgresql {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

/// The mark is a row that is written over and over, and while somebody's old snapshot is open each of its versions
/// stays and has to be walked past. A mark that lags a little costs a restart a few rows to pass over, nothing else.
constexpr auto mark_interval = 200ms;

/// How far ahead of its rows a lane looks through the log in one call: a lane whose rows are rare among the events
/// reads much of the log for each. Bounded, so that a call stays short; the lane is back at once for the rest.
constexpr std::size_t smallest_window = 64;
constexpr std::size_t largest_window = 65'536;
constexpr int most_windows = 8;

std::int64_t signed_of(std::size_t number) {
    return static_cast<std::int64_t>(std::min<std::size_t>(number, std::numeric_limits<std::int64_t>::max()));
}

std::vector<gap_tracker::writer> writers_in(const result& found) {
    const auto names = found.texts(0, 0);
    const auto idle = found.texts(0, 1);
    std::vector<gap_tracker::writer> all;
    for (std::size_t i = 0; i < names.size(); ++i) all.push_back({.name = names[i], .idle_since = idle.at(i)});
    return all;
}

/// They mostly are in order, and exchanging rows is dear.
void sort_by_number(std::vector<due_row>& rows) {
    if (!std::ranges::is_sorted(rows, {}, &due_row::seq)) std::ranges::sort(rows, {}, &due_row::seq);
}

class postgresql_lane_session final : public lane_session {
public:
    explicit postgresql_lane_session(shared_state& shared) : shared_{shared} { static_cast<void>(db()); }

    lease_answer acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) override;
    bool renew(lease_grant& grant, const lane_report& report, date_time now, duration ttl) override;
    void release(const lease_grant& grant, const lane_report& report) override;

    due_batch due(const lease_grant& grant, std::string_view target_broker, sequence after,
                  const page_size& limit) override;
    due_batch due_in_stream(const lease_grant& grant, std::string_view target_broker, std::string_view stream,
                            sequence after, sequence upto, const page_size& limit) override;

    settle_outcome settle(const lease_grant& grant, std::string_view target_broker,
                          std::span<const settlement> settlements, sequence mark) override;

    wake_reason wait(wake_signal& signal, duration timeout) override;

    std::size_t purge(const lease_grant& grant, std::string_view target_broker, date_time published_before,
                      date_time abandoned_before, std::size_t limit) override;

    std::string lost_history() const override { return lost_history_; }

private:
    /// The connection, made again when it broke.
    [[nodiscard]] connection& db();
    /// The connection, when it leads to the history of the grant; else null, and `lost_history_` tells what differs.
    [[nodiscard]] connection* db_of(const lease_grant& grant);
    /// What a later owner compares with: it may reach the same server by another way.
    [[nodiscard]] history_stamp stored_stamp() const;
    [[nodiscard]] std::string missing_witness(connection& server, const lease_grant& grant);
    void remember_witness(const lease_grant& grant, const due_batch& batch);
    /// Behind a pooler each transaction may reach another server: it does nothing on one with another timeline.
    void guard_timeline(exchange& trip, const connection& server, const lease_grant& grant) const;
    /// Runs it; false when the guard has found another timeline.
    [[nodiscard]] bool run_guarded(exchange& trip, const connection& server, const lease_grant& grant);
    [[nodiscard]] std::optional<date_time> lease_clock(date_time now) const;
    [[nodiscard]] gap_tracker& gaps_of(const lease_grant& grant);

    /// Rows above `after`, of the numbers looked at and of one window more. True when the log goes on behind it;
    /// `more` of the batch is set when the page was full before.
    [[nodiscard]] bool look(connection& server, const lease_grant& grant, std::string_view target_broker,
                            sequence after, const page_size& limit, page_meter& page, std::size_t window,
                            due_batch& batch);
    /// True when all of them were taken.
    [[nodiscard]] bool take_late_rows(const result& found, sequence after, page_meter& page, gap_tracker& gaps,
                                      due_batch& batch);
    [[nodiscard]] std::optional<sequence> barrier(const gap_tracker& gaps) const;
    void hold_back(const gap_tracker& gaps, sequence barrier, due_batch& batch);
    [[nodiscard]] static bool read_lease_columns(const result& found, due_batch& batch);

    void raise_mark_later(const lease_grant& grant, sequence mark);
    void raise_mark(exchange& trip, const lease_grant& grant, bool at_once);

    shared_state& shared_;
    const lane_statements sql_{shared_.options.schema};
    lane_wake wake_{sql_, shared_.options.listen_notify};
    std::optional<connection_pool::lease> db_;
    history_stamp stamp_;                              ///< of the connection
    std::set<std::string, std::less<>> same_history_;  ///< lanes whose grant was compared with it
    std::string lost_history_;
    lane_wake::view seen_;
    bool held_ = false;    ///< rows were held back, and that ends soon
    bool weighs_ = false;  ///< large rows were met: the server counts their bytes

    sequence unwritten_mark_ = 0;  ///< 0: it is in the database
    std::uint64_t unwritten_rescan_ = 0;
    steady::time_point mark_written_{};
    std::map<std::string, sequence, std::less<>> purged_upto_;  ///< per broker, where the next purge goes on
};

connection& postgresql_lane_session::db() {
    if (db_ && !(*db_)->look_alive()) db_.reset();
    if (!db_) {
        wake_.disconnected();
        same_history_.clear();
        auto fresh = shared_.pool.keep(lane_use(shared_.options));
        bool in_recovery = false;
        stamp_ = ask_history(*fresh, shared_.options.schema, in_recovery);
        if (in_recovery) {
            throw store_error{fmt::format("{}: it is a standby, on which no lane works; {}", fresh->server_name(),
                                          remedy_for("25006")),
                              error_nature::outage};
        }
        db_.emplace(std::move(fresh));
    }
    return **db_;
}

connection* postgresql_lane_session::db_of(const lease_grant& grant) {
    auto& server = db();
    if (same_history_.contains(grant.lane)) return &server;
    lost_history_ = difference_between(grant.history, stamp_);
    if (lost_history_.empty()) lost_history_ = missing_witness(server, grant);
    if (!lost_history_.empty()) return nullptr;
    same_history_.insert(grant.lane);
    return &server;
}

history_stamp postgresql_lane_session::stored_stamp() const {
    auto stamp = stamp_;
    stamp.erase("address");
    stamp.erase("started");
    return stamp;
}

/// Numbers may go on above those that the lane has seen before it asks: the event itself tells.
std::string postgresql_lane_session::missing_witness(connection& server, const lease_grant& grant) {
    const auto memory = shared_.memory_of(grant);
    exchange trip{server};
    const auto place = trip.add(sql_.witness, parameters{memory->witness});
    trip.run();
    const auto newest = trip[place].integer(0, 0);
    if (newest < memory->gaps.high()) {
        return fmt::format("the log ends at number {}, and the lane has seen {}", newest, memory->gaps.high());
    }
    const bool there = !trip[place].null(0, 1) && trip[place].view(0, 1) == memory->witness_id &&
                       trip[place].time(0, 2) == memory->witness_time;
    if (memory->witness == 0 || there) return {};
    return fmt::format("event {} with number {}, which the lane has seen, is not in the log", memory->witness_id,
                       memory->witness);
}

void postgresql_lane_session::remember_witness(const lease_grant& grant, const due_batch& batch) {
    if (batch.rows.empty()) return;
    const auto memory = shared_.memory_of(grant);
    const auto& last = batch.rows.back();
    if (last.seq < memory->witness) return;
    memory->witness = last.seq;
    memory->witness_id = last.event.message_id;
    memory->witness_time = last.event.created_at;
}

void postgresql_lane_session::guard_timeline(exchange& trip, const connection& server, const lease_grant& grant) const {
    const auto known = grant.history.find("timeline");
    if (!server.pooled() || !server.may_ask_timeline() || known == grant.history.end()) return;
    trip.add(sql_.require_timeline, parameters{known->second});
}

bool postgresql_lane_session::run_guarded(exchange& trip, const connection& server, const lease_grant& grant) {
    try {
        trip.run();
        return true;
    } catch (const statement_error& refusal) {
        if (!server.pooled() || refusal.sqlstate() != "SL001") throw;
        lost_history_ = fmt::format("timeline was {} and is {}", grant.history.at("timeline"), refusal.detail());
        same_history_.clear();
        db_.reset();  // what is known of the server is that of another one
        return false;
    }
}

std::optional<date_time> postgresql_lane_session::lease_clock(date_time now) const {
    if (shared_.options.server_clock) return std::nullopt;
    return now;
}

gap_tracker& postgresql_lane_session::gaps_of(const lease_grant& grant) { return shared_.memory_of(grant)->gaps; }

// ---- lease ----------------------------------------------------------------------------------------------------------

lease_answer postgresql_lane_session::acquire(std::string_view lane, std::string_view owner, date_time now,
                                              duration ttl) {
    seen_ = {.lane = std::string{lane}, .broker = std::string{broker_of(lane)}};
    array<std::string_view> layout;
    const auto names = layout_of(lane);
    for (const auto& name : names) layout.push(std::string_view{name});

    auto& server = db();
    exchange ask{server};
    const auto asked =
        ask.add(sql_.read_lease, parameters{lane, seen_.broker, owner, lease_clock(now), layout, ttl.count()});
    ask.run();
    const auto& there = ask[asked];
    if (!there.null(0, 0)) {
        seen_.owner = there.text(0, 0);
        seen_.epoch = static_cast<std::uint64_t>(there.integer(0, 1));
    }
    if (!there.null(0, 2)) return lease_answer::no(obstacle_text(there.view(0, 2), there.view(0, 3)));

    // What the last owner knew of the log may be about another one. Its mark is checked once.
    stamp_["incarnation"] = there.text(0, 7);
    auto other = std::exchange(lost_history_, {});
    if (other.empty() && !there.null(0, 5)) other = difference_between(stamp_from(there.view(0, 5)), stamp_);
    open_below open;
    if (!other.empty() && !there.null(0, 4)) {
        open = find_open_below(server, shared_.options.schema, lane, there.integer(0, 4),
                               std::numeric_limits<std::size_t>::max());
    }
    sequence highest_mark = open.count > 0 ? open.lowest - 1 : std::numeric_limits<sequence>::max();
    // Where the log ends below the mark, the next events would lie where nobody looks.
    if (const auto end = there.integer(0, 6); there.integer(0, 4) > end) {
        if (other.empty())
            other = fmt::format("the mark {} is behind the end of the log, {}", there.integer(0, 4), end);
        highest_mark = std::min(highest_mark, end);
    }

    exchange trip{server};
    trip.add(sql_.lock_layout, parameters{seen_.broker});
    trip.add(sql_.change_layout, parameters{seen_.broker, layout, lease_clock(now), now, ttl.count()});
    const auto taken = trip.add(sql_.acquire, parameters{lane, seen_.broker, layout, owner, lease_clock(now),
                                                         ttl.count(), now, highest_mark, to_text(stored_stamp())});
    trip.run();
    if (trip[taken].rows() == 0) return lease_answer::no("somebody else was faster");

    // Counted from before the question: by the caller's clock the lease is never longer than by the server's.
    const lease_grant grant{.lane = std::string{lane},
                            .owner = std::string{owner},
                            .epoch = static_cast<std::uint64_t>(trip[taken].integer(0, 0)),
                            .expires_at = now + ttl,
                            .mark = trip[taken].integer(0, 1),
                            .rescan = static_cast<std::uint64_t>(trip[taken].integer(0, 2)),
                            .former = split_former(trip[taken].view(0, 3)),
                            .history = stamp_,
                            .other_history = std::move(other),
                            .reopened = open.count};
    same_history_.insert(grant.lane);
    shared_.forget(grant.lane);
    unwritten_mark_ = 0;
    seen_ = {.lane = grant.lane,
             .broker = seen_.broker,
             .owner = grant.owner,
             .epoch = grant.epoch,
             .rescan = grant.rescan,
             .high = gaps_of(grant).high(),
             .mine = true,
             .unfinished = true};
    return grant;
}

bool postgresql_lane_session::renew(lease_grant& grant, const lane_report& report, date_time now, duration ttl) {
    auto* const server = db_of(grant);
    if (server == nullptr) return false;
    exchange trip{*server};
    guard_timeline(trip, *server, grant);
    raise_mark(trip, grant, true);
    const auto renewed =
        trip.add(sql_.renew, parameters{grant.lane, grant.owner, grant.epoch, lease_clock(now), ttl.count(),
                                        report.state, report.detail, report.published, report.refused, report.rate,
                                        report.since, gaps_of(grant).horizon().value_or(0), report.overtaken});
    if (!run_guarded(trip, *server, grant)) return false;
    if (trip[renewed].affected() == 0) return false;
    grant.expires_at = now + ttl;
    return true;
}

void postgresql_lane_session::release(const lease_grant& grant, const lane_report& report) {
    // The lease itself may have come along into another history; what the lane knows of its rows has not.
    auto* const server = db_of(grant);
    exchange trip{server != nullptr ? *server : db()};
    if (server != nullptr) {
        guard_timeline(trip, *server, grant);
        raise_mark(trip, grant, true);
    }
    trip.add(sql_.release, parameters{grant.lane, grant.owner, grant.epoch, report.state, report.detail,
                                      report.published, report.refused, report.rate, report.since, report.overtaken});
    static_cast<void>(run_guarded(trip, server != nullptr ? *server : **db_, grant));
}

// ---- rows -----------------------------------------------------------------------------------------------------------

due_batch postgresql_lane_session::due(const lease_grant& grant, std::string_view target_broker, sequence after,
                                       const page_size& limit) {
    due_batch batch;
    auto* const server = db_of(grant);
    batch.owned = server != nullptr;
    if (!batch.owned) return batch;
    const auto& gaps = gaps_of(grant);
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
    batch.more = batch.more || (more && !shard_of(grant.lane).is_whole());
    if (const auto closed = barrier(gaps)) hold_back(gaps, *closed, batch);
    batch.horizon = gaps.horizon();
    batch.gaps = gaps.gaps().size();
    batch.crowded = gaps.full();
    if (batch.rescan == grant.rescan && unwritten_rescan_ == batch.rescan) {
        batch.mark = std::max(batch.mark, unwritten_mark_);
    }
    seen_ = {.lane = grant.lane,
             .broker = std::string{target_broker},
             .owner = grant.owner,
             .epoch = grant.epoch,
             .rescan = batch.rescan,
             .high = gaps.high(),
             .mine = true,
             .unfinished = more || batch.more || !gaps.empty(),
             .held = held_};
    if (!batch.rows.empty()) wake_.found_rows(*server);
    return batch;
}

bool postgresql_lane_session::look(connection& server, const lease_grant& grant, std::string_view target_broker,
                                   sequence after, const page_size& limit, page_meter& page, std::size_t window,
                                   due_batch& batch) {
    auto& gaps = gaps_of(grant);
    const auto part = shard_of(grant.lane);
    const auto now = steady::now();
    if (gaps.full()) window = 0;

    exchange trip{server};
    wake_.get_up(trip);
    // Before the look at the gaps, so that its answer is older.
    std::optional<std::size_t> writers;
    if (gaps.wants_writers(now)) writers = trip.add(sql_.writers);
    trip.end();
    std::optional<std::size_t> late;
    const auto bytes = signed_of(limit.bytes);
    const bool weighed = weighs_;
    const auto large = limit.bytes / (2 * std::max<std::size_t>(limit.rows, 1));  // as many others fit in any case
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
        late = trip.add(sql_.late, parameters{target_broker, firsts, lasts, signed_of(most_late),
                                              std::int32_t{part.number}, std::int32_t{part.count}, bytes});
    }
    guard_timeline(trip, server, grant);
    const auto ahead =
        trip.add(weighed ? sql_.due_by_weight : sql_.due,
                 parameters{grant.lane, grant.owner, grant.epoch, target_broker, after,
                            signed_of(limit.rows - batch.rows.size()), gaps.high(), signed_of(window),
                            std::int32_t{part.number}, std::int32_t{part.count}, weighed ? bytes : signed_of(large)});
    std::optional<std::size_t> bound;
    if (gaps.wants_bound()) bound = trip.add(sql_.next_transaction);
    if (!run_guarded(trip, server, grant)) {
        batch.owned = false;
        return false;
    }

    const auto& found = trip[ahead];
    if (!read_lease_columns(found, batch)) return false;
    bool gaps_are_done = true;
    if (late) {
        const auto& appeared = trip[*late];
        gaps_are_done =
            take_late_rows(appeared, after, page, gaps, batch) && appeared.rows() < static_cast<int>(most_late);
        if (gaps_are_done) {
            if (writers) {
                gaps.writers(writers_in(trip[*writers]), trip[*writers].integer(0, 2), now);
            }
            gaps.all_ended_below(appeared.integer(0, late_column::oldest_transaction));
        }
    }
    if (bound) gaps.bound(trip[*bound].integer(0, 0));

    const auto firsts = found.integers(0, due_column::firsts);
    const auto lasts = found.integers(0, due_column::lasts);
    std::vector<gap_tracker::range> missing;
    for (std::size_t i = 0; i < firsts.size(); ++i) missing.push_back({firsts[i], lasts.at(i)});
    gaps.scanned(found.integer(0, due_column::upto), missing, now);

    if (!gaps_are_done) return true;  // first the rest of what was late: among it are older events of these streams
    bool has_large = false;
    batch.rows.reserve(batch.rows.size() + static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows() && batch.rows.size() < limit.rows; ++row) {
        if (found.null(row, due_column::row)) continue;
        if (found.null(row, due_column::data) || found.null(row, due_column::metadata)) {
            weighs_ = true;
            if (batch.rows.empty()) return look(server, grant, target_broker, after, limit, page, window, batch);
            batch.more = true;
            break;
        }
        auto one = read_due_row(found, row, due_column::row);
        if (!page.admits(bytes_of(one))) {
            batch.more = true;
            break;
        }
        has_large = has_large || std::max(one.event.data.size(), one.event.metadata.size()) >= large;
        gaps.appeared(one.seq);
        batch.rows.push_back(std::move(one));
    }
    if (page.may_be_cut()) batch.more = true;
    if (weighed) weighs_ = has_large || batch.more;
    if (!part.is_whole()) {
        const bool is_full = batch.more || batch.rows.size() == limit.rows;
        batch.upto = is_full ? std::max(after, batch.rows.back().seq) : found.integer(0, due_column::upto);
    }
    return window != 0 && found.integer(0, due_column::scanned) == signed_of(window);
}

bool postgresql_lane_session::read_lease_columns(const result& found, due_batch& batch) {
    batch.owned = found.boolean(0, due_column::owned);
    if (!batch.owned) return false;
    batch.rescan = static_cast<std::uint64_t>(found.integer(0, due_column::rescan));
    batch.mark = found.integer(0, due_column::mark);
    return true;
}

/// A row that appeared at or below the cursor goes to the front of the batch; one above it is found there in its turn.
/// No newer row of its stream has been seen: that one was written after the older had committed (`commit_call` locks
/// the stream), so the order of the stream is kept.
bool postgresql_lane_session::take_late_rows(const result& found, sequence after, page_meter& page, gap_tracker& gaps,
                                             due_batch& batch) {
    for (int row = 0; row < found.rows(); ++row) {
        if (found.null(row, late_column::seq)) continue;
        const auto number = found.integer(row, late_column::seq);
        const bool is_open_here = !found.null(row, late_column::row);
        if (number <= after && is_open_here) {
            auto one = read_due_row(found, row, late_column::row);
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
std::optional<sequence> postgresql_lane_session::barrier(const gap_tracker& gaps) const {
    const auto& options = shared_.options;
    return gaps.barrier(options.strict_order ? std::nullopt : std::optional{options.order_wait}, steady::now());
}

/// The cursor does not pass the barrier, so what is held back here is read again from where it is. When there is
/// something to publish first, the lane is to come back without a rest.
void postgresql_lane_session::hold_back(const gap_tracker& gaps, sequence barrier, due_batch& batch) {
    const auto held = std::erase_if(batch.rows, [barrier](const due_row& row) { return row.seq > barrier; });
    batch.upto = std::min(batch.upto, barrier - 1);
    if (held == 0) return;
    batch.more = !batch.rows.empty();  // with nothing to publish, asking again at once would find the same
    held_ = gaps.barrier(shared_.options.order_wait, steady::now()).has_value();
}

due_batch postgresql_lane_session::due_in_stream(const lease_grant& grant, std::string_view target_broker,
                                                 std::string_view stream, sequence after, sequence upto,
                                                 const page_size& limit) {
    due_batch batch;
    auto* const server = db_of(grant);
    batch.owned = server != nullptr;
    if (!batch.owned) return batch;
    exchange trip{*server};
    guard_timeline(trip, *server, grant);
    const auto bytes = signed_of(limit.bytes);
    const auto page = trip.add(sql_.due_in_stream, parameters{grant.lane, grant.owner, grant.epoch, target_broker,
                                                              stream, after, upto, signed_of(limit.rows), bytes});
    batch.owned = run_guarded(trip, *server, grant);
    if (!batch.owned) return batch;
    const auto& found = trip[page];
    if (!read_lease_columns(found, batch)) return batch;
    auto& gaps = gaps_of(grant);
    page_meter meter{limit};
    for (int row = 0; row < found.rows() && !batch.more; ++row) {
        if (found.null(row, due_column::row)) continue;
        auto one = read_due_row(found, row, due_column::row);
        batch.more = !meter.admits(bytes_of(one));
        if (batch.more) break;
        batch.rows.push_back(std::move(one));
        gaps.appeared(batch.rows.back().seq);  // handed out here, so not once more as a late one
    }
    batch.more = batch.more || meter.may_be_cut();
    batch.horizon = gaps.horizon();
    return batch;
}

settle_outcome postgresql_lane_session::settle(const lease_grant& grant, std::string_view target_broker,
                                               std::span<const settlement> settlements, sequence mark) {
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
    for (const auto& outcome : settlements) {
        seqs.push(outcome.seq);
        statuses.push(std::string_view{to_string(outcome.status)});
        retry_counts.push(std::int32_t{outcome.retry_count});
        next_retries.push(outcome.next_retry_at);
        errors.push(or_null(outcome.last_error));
        published.push(outcome.published_at);
        abandoned.push(outcome.abandoned_at);
        receipts.push(or_null(outcome.receipt));
    }
    auto* const server = db_of(grant);
    if (server == nullptr) return settle_outcome::fenced;
    raise_mark_later(grant, mark);
    exchange trip{*server};
    guard_timeline(trip, *server, grant);
    const auto fence = trip.add(sql_.settle, parameters{grant.lane, grant.owner, grant.epoch, grant.rescan,
                                                        target_broker, seqs, statuses, retry_counts, next_retries,
                                                        errors, published, abandoned, receipts, shared_.our_time()});
    raise_mark(trip, grant, false);
    if (!run_guarded(trip, *server, grant)) return settle_outcome::fenced;
    return trip[fence].integer(0, 0) == 1 ? settle_outcome::settled : settle_outcome::fenced;
}

/// The mark never passes a number that may still appear: after a crash the lane begins right behind it.
void postgresql_lane_session::raise_mark_later(const lease_grant& grant, sequence mark) {
    if (const auto horizon = gaps_of(grant).horizon()) mark = std::min(mark, *horizon - 1);
    unwritten_mark_ = unwritten_rescan_ == grant.rescan ? std::max(unwritten_mark_, mark) : mark;
    unwritten_rescan_ = grant.rescan;
}

void postgresql_lane_session::raise_mark(exchange& trip, const lease_grant& grant, bool at_once) {
    const auto now = steady::now();
    if (unwritten_mark_ == 0 || (!at_once && now - mark_written_ < mark_interval)) return;
    trip.add(sql_.raise_mark, parameters{grant.lane, grant.owner, grant.epoch, unwritten_rescan_, unwritten_mark_});
    unwritten_mark_ = 0;
    mark_written_ = now;
}

std::size_t postgresql_lane_session::purge(const lease_grant& grant, std::string_view target_broker,
                                           date_time published_before, date_time abandoned_before, std::size_t limit) {
    constexpr std::size_t least_examined = 500;
    const auto most_examined = std::max(least_examined, 4 * limit);
    auto& cursor = purged_upto_.try_emplace(std::string{target_broker}, 0).first->second;
    const auto part = shard_of(grant.lane);

    auto* const server = db_of(grant);
    if (server == nullptr) return 0;
    exchange trip{*server};
    guard_timeline(trip, *server, grant);
    raise_mark(trip, grant, true);
    trip.end();
    guard_timeline(trip, *server, grant);
    const auto place =
        trip.add(sql_.purge, parameters{grant.lane, grant.owner, grant.epoch, target_broker, published_before,
                                        abandoned_before, cursor, signed_of(most_examined), signed_of(limit),
                                        std::int32_t{part.number}, std::int32_t{part.count}, shared_.our_time()});
    if (!run_guarded(trip, *server, grant)) return 0;
    const auto& purged = trip[place];
    const auto count = static_cast<std::size_t>(purged.integer(0, 0));
    if (count == limit) {
        cursor = purged.integer(0, 1);
    } else {
        const bool walked_all = purged.integer(0, 2) == signed_of(most_examined);
        cursor = walked_all ? purged.integer(0, 3) : 0;
    }
    return count;
}

wake_reason postgresql_lane_session::wait(wake_signal& signal, duration timeout) {
    try {
        auto& server = db();
        // A new connection: the next look compares, before anything is written.
        if (seen_.mine && !same_history_.contains(seen_.lane)) return wake_reason::file_changed;
        if (seen_.mine && unwritten_mark_ != 0) {
            exchange trip{server};
            const lease_grant grant{
                .lane = seen_.lane, .owner = seen_.owner, .epoch = seen_.epoch, .expires_at = {}, .history = stamp_};
            guard_timeline(trip, server, grant);
            raise_mark(trip, grant, false);
            if (!run_guarded(trip, server, grant)) return wake_reason::file_changed;
        }
        return wake_.wait(server, signal, timeout, seen_);
    } catch (const connection_lost&) {
        return wake_reason::file_changed;  // the next look connects again
    }
}

}  // namespace

std::unique_ptr<lane_session> make_lane_session(shared_state& shared) {
    return std::make_unique<postgresql_lane_session>(shared);
}

}  // namespace sluice::store::postgresql
