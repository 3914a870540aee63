#include "store/lane_session.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "store/lane_layout.hpp"
#include "store/lane_name.hpp"
#include "store/sqlite/history.hpp"
#include "store/sqlite/lane_news.hpp"
#include "store/sqlite/lane_sql.hpp"
#include "store/sqlite/sessions.hpp"

namespace sluice::store::sqlite {
namespace {

/// Most rows that one look of a lane in shards passes: it goes on in the next, so that it renews its lease in between.
constexpr std::size_t most_walked = 20'000;

bool is_granted(const lease_row& lease, const lease_grant& grant) {
    return lease.owner == grant.owner && lease.epoch == grant.epoch;
}

class sqlite_lane_session final : public lane_session {
public:
    explicit sqlite_lane_session(std::unique_ptr<connection> db) : db_{std::move(db)}, stamp_{ask_history(*db_)} {}

    lease_answer acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) override;
    bool renew(lease_grant& grant, const lane_report& report, date_time now, duration ttl) override;
    void release(const lease_grant& grant, const lane_report& report) override;

    due_batch due(const lease_grant& grant, std::string_view target_broker, sequence after,
                  const page_size& limit) override;
    due_batch due_in_stream(const lease_grant& grant, std::string_view target_broker, std::string_view stream,
                            sequence after, sequence upto, const page_size& limit) override;

    settle_outcome settle(const lease_grant& grant, std::string_view target_broker,
                          std::span<const settlement> settlements, sequence mark) override;

    wake_reason wait(wake_signal& signal, duration timeout) override { return news_.wait(signal, timeout); }

    std::size_t purge(const lease_grant& grant, std::string_view target_broker, date_time published_before,
                      date_time abandoned_before, std::size_t limit) override;

    std::string lost_history() const override { return lost_history_; }

private:
    /// False when the grant was given for another file or incarnation; then `lost_history_` tells.
    [[nodiscard]] bool is_same_history(const lease_grant& grant);
    [[nodiscard]] std::uint64_t incarnation();
    [[nodiscard]] std::string stored_history(std::string_view lane);
    [[nodiscard]] std::optional<lease_row> read_lease(std::string_view lane);
    /// The lease rows that `lane` must live with.
    [[nodiscard]] std::vector<lease_row> rows_beside(std::string_view lane);
    /// Why the lane cannot be taken now; empty when it can.
    [[nodiscard]] std::string find_obstacle(std::string_view lane, std::string_view owner, date_time now, duration ttl);
    /// Fills `rows` and what the lease says beside them; false when the lease is no longer the grant's.
    [[nodiscard]] bool read_owned(const lease_grant& grant, due_batch& batch);
    void walk(const shard& part, std::string_view target_broker, sequence after, const page_size& limit,
              due_batch& batch);
    void write_outcome(std::string_view target_broker, const settlement& outcome, bool reopened);

    std::unique_ptr<connection> db_;
    history_stamp stamp_;
    std::set<std::string, std::less<>> same_history_;  ///< lanes whose grant was compared
    std::string lost_history_;
    lane_news news_{*db_};
    std::map<std::string, sequence, std::less<>> purged_upto_;  ///< per broker, where the next purge goes on

    statement read_lease_{*db_,
                          "SELECT lane, owner, epoch, expires_at, mark, rescan, former FROM lease WHERE lane = ?1"};
    statement read_leases_{*db_, "SELECT lane, owner, epoch, expires_at, mark, rescan, former FROM lease"};
    statement create_lease_{*db_,
                            "INSERT INTO lease (lane, owner, epoch, expires_at, mark, rescan, former, state, since)"
                            " VALUES (?1, '', ?2, ?3, ?4, ?5, ?6, 'idle', ?3)"};
    statement retire_lease_{*db_, "DELETE FROM lease WHERE lane = ?1"};
    statement take_lease_{*db_,
                          "UPDATE lease SET owner = ?2, epoch = ?3, expires_at = ?4, state = 'idle', since = ?5,"
                          " detail = '', published = 0, refused = 0, rate = 0, mark = ?6, history = ?7"
                          " WHERE lane = ?1"};
    statement history_{*db_, "SELECT history FROM lease WHERE lane = ?1"};
    statement incarnation_{*db_,
                           "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM sluice_meta"
                           " WHERE key = 'incarnation'), 0)"};
    statement renew_lease_{*db_,
                           "UPDATE lease SET expires_at = ?4, state = ?5, detail = ?6, published = ?7, refused = ?8,"
                           " rate = ?9, since = ?10 WHERE lane = ?1 AND owner = ?2 AND epoch = ?3"};
    statement release_lease_{*db_,
                             "UPDATE lease SET owner = '', state = ?4, detail = ?5, published = ?6, refused = ?7,"
                             " rate = ?8, since = ?9 WHERE lane = ?1 AND owner = ?2 AND epoch = ?3"};
    statement raise_mark_{*db_, "UPDATE lease SET mark = ?2 WHERE lane = ?1 AND mark < ?2"};
    statement due_{*db_, due_sql};
    statement walk_{*db_, walk_sql};
    statement row_{*db_, row_sql};
    statement due_in_stream_{*db_, due_in_stream_sql};
    statement settle_{*db_, settle_sql};
    statement purgeable_{*db_, purgeable_sql};
    statement purge_{*db_, purge_sql};
};

lease_row read_lease_row(const rows& found) {
    return {.lane = found.text(0),
            .owner = found.text(1),
            .epoch = static_cast<std::uint64_t>(found.integer(2)),
            .expires_at = found.time(3),
            .mark = found.integer(4),
            .rescan = static_cast<std::uint64_t>(found.integer(5)),
            .former = found.text(6)};
}

/// Of a lease that somebody had.
std::optional<date_time> known_expiry(const lease_row& lease) {
    if (lease.epoch == 0) return std::nullopt;
    return lease.expires_at;
}

std::optional<lease_row> sqlite_lane_session::read_lease(std::string_view lane) {
    auto found = read_lease_.query(lane);
    if (!found.next()) return std::nullopt;
    return read_lease_row(found);
}

std::vector<lease_row> sqlite_lane_session::rows_beside(std::string_view lane) {
    std::vector<lease_row> leases;
    for (auto found = read_leases_.query(); found.next();) {
        if (shares_rows(found.view(0), lane)) leases.push_back(read_lease_row(found));
    }
    return leases;
}

std::string sqlite_lane_session::find_obstacle(std::string_view lane, std::string_view owner, date_time now,
                                               duration ttl) {
    const auto leases = rows_beside(lane);
    const auto mine = std::ranges::find(leases, lane, &lease_row::lane);
    if (mine != leases.end() && !mine->may_be_taken_by(owner, now, ttl)) return obstacle_text(lane, mine->owner);
    return lane_layout::with(lane, leases, now, ttl).obstacle;
}

lease_answer sqlite_lane_session::acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) {
    // A stand-by asks often and mostly in vain: it shall not take the write lock for that.
    if (auto obstacle = find_obstacle(lane, owner, now, ttl); !obstacle.empty()) {
        news_.seen();
        return lease_answer::no(std::move(obstacle));
    }
    transaction writing{*db_, transaction::kind::write};
    news_.seen();
    if (auto obstacle = find_obstacle(lane, owner, now, ttl); !obstacle.empty())
        return lease_answer::no(std::move(obstacle));

    const auto layout = lane_layout::with(lane, rows_beside(lane), now, ttl);
    for (const auto& name : layout.retired) retire_lease_.run(name);
    for (const auto& name : layout.created) {
        create_lease_.run(name, std::max(layout.epoch, incarnation()), to_sql(now), layout.mark, layout.rescan,
                          layout.former);
    }
    const auto lease = read_lease(lane).value();
    stamp_ = ask_history(*db_);
    auto other = std::exchange(lost_history_, {});
    if (other.empty()) other = difference_between(stamp_from(stored_history(lane)), stamp_);
    const auto open = other.empty() ? open_below{} : find_open_below(*db_, lane, lease.mark);
    const auto mark = open.count > 0 ? open.lowest - 1 : lease.mark;
    const lease_grant grant{.lane = std::string{lane},
                            .owner = std::string{owner},
                            .epoch = lease.owner == owner ? lease.epoch : lease.epoch + 1,
                            .expires_at = now + ttl,
                            .expired_before = known_expiry(lease),
                            .mark = mark,
                            .rescan = lease.rescan,
                            .former = split_former(lease.former),
                            .history = stamp_,
                            .other_history = std::move(other),
                            .reopened = open.count};
    take_lease_.run(lane, owner, grant.epoch, to_sql(grant.expires_at), to_sql(now), mark, to_text(stamp_));
    writing.commit();
    same_history_.insert(grant.lane);
    return grant;
}

std::uint64_t sqlite_lane_session::incarnation() {
    auto found = incarnation_.query();
    return found.next() ? static_cast<std::uint64_t>(found.integer(0)) : 0;
}

std::string sqlite_lane_session::stored_history(std::string_view lane) {
    auto found = history_.query(lane);
    return found.next() ? found.text(0) : std::string{};
}

bool sqlite_lane_session::is_same_history(const lease_grant& grant) {
    if (same_history_.contains(grant.lane)) return true;
    lost_history_ = difference_between(grant.history, stamp_);
    if (lost_history_.empty()) same_history_.insert(grant.lane);
    return lost_history_.empty();
}

bool sqlite_lane_session::renew(lease_grant& grant, const lane_report& report, date_time now, duration ttl) {
    const auto expires_at = now + ttl;
    if (!is_same_history(grant)) return false;
    transaction writing{*db_, transaction::kind::write};
    if (renew_lease_.run(grant.lane, grant.owner, grant.epoch, to_sql(expires_at), report.state, report.detail,
                         report.published, report.refused, report.rate, to_sql(report.since)) == 0) {
        return false;
    }
    writing.commit();
    grant.expires_at = expires_at;
    return true;
}

void sqlite_lane_session::release(const lease_grant& grant, const lane_report& report) {
    transaction writing{*db_, transaction::kind::write};
    release_lease_.run(grant.lane, grant.owner, grant.epoch, report.state, report.detail, report.published,
                       report.refused, report.rate, to_sql(report.since));
    writing.commit();
}

bool sqlite_lane_session::read_owned(const lease_grant& grant, due_batch& batch) {
    const auto lease = read_lease(grant.lane);
    batch.owned = is_same_history(grant) && lease && is_granted(*lease, grant);
    if (!batch.owned) return false;
    batch.rescan = lease->rescan;
    batch.mark = lease->mark;
    return true;
}

/// Takes rows as long as the page has room. False when it ended before they did.
bool take_due(rows found, page_meter& page, std::vector<due_row>& due) {
    while (found.next()) {
        due_row row{.seq = found.integer(0),
                    .status = row_status_from(found.view(1)),
                    .priority = static_cast<int>(found.integer(2)),
                    .retry_count = static_cast<int>(found.integer(3)),
                    .next_retry_at = found.optional_time(4),
                    .last_error = found.text(5),
                    .event = {.message_id = found.text(6),
                              .stream = found.text(7),
                              .stream_category = found.text(8),
                              .type = found.text(9),
                              .data = found.text(10),
                              .metadata = found.text(11),
                              .created_at = found.time(12)}};
        if (!page.admits(bytes_of(row))) return false;
        due.push_back(std::move(row));
    }
    return true;
}

due_batch sqlite_lane_session::due(const lease_grant& grant, std::string_view target_broker, sequence after,
                                   const page_size& limit) {
    due_batch batch;
    const transaction snapshot{*db_, transaction::kind::read};
    news_.seen();
    if (!read_owned(grant, batch)) return batch;
    if (const auto part = shard_of(grant.lane); part.is_whole()) {
        page_meter page{limit};
        batch.more = !take_due(due_.query(target_broker, after, limit.rows), page, batch.rows);
    } else {
        walk(part, target_broker, after, limit, batch);
    }
    return batch;
}

void sqlite_lane_session::walk(const shard& part, std::string_view target_broker, sequence after,
                               const page_size& limit, due_batch& batch) {
    std::vector<sequence> mine;
    std::size_t walked = 0;
    for (auto row = walk_.query(target_broker, after, most_walked); mine.size() < limit.rows && row.next(); ++walked) {
        batch.upto = row.integer(0);
        if (row.integer(2) != 0 && part.carries(row.view(1))) mine.push_back(batch.upto);
    }
    batch.more = walked == most_walked;
    page_meter page{limit};
    for (const auto seq : mine) {
        if (take_due(row_.query(target_broker, seq), page, batch.rows)) continue;
        batch.more = true;
        batch.upto = seq - 1;
        break;
    }
}

due_batch sqlite_lane_session::due_in_stream(const lease_grant& grant, std::string_view target_broker,
                                             std::string_view stream, sequence after, sequence upto,
                                             const page_size& limit) {
    due_batch batch;
    const transaction snapshot{*db_, transaction::kind::read};
    if (read_owned(grant, batch)) {
        page_meter page{limit};
        batch.more = !take_due(due_in_stream_.query(target_broker, stream, after, upto, limit.rows), page, batch.rows);
    }
    return batch;
}

settle_outcome sqlite_lane_session::settle(const lease_grant& grant, std::string_view target_broker,
                                           std::span<const settlement> settlements, sequence mark) {
    transaction writing{*db_, transaction::kind::write};
    const auto lease = read_lease(grant.lane);
    if (!is_same_history(grant) || !lease || !is_granted(*lease, grant)) return settle_outcome::fenced;

    const bool reopened = lease->rescan != grant.rescan;
    for (const auto& outcome : settlements) write_outcome(target_broker, outcome, reopened);
    if (!reopened && mark > lease->mark) raise_mark_.run(grant.lane, mark);
    writing.commit();
    return settle_outcome::settled;
}

void sqlite_lane_session::write_outcome(std::string_view target_broker, const settlement& outcome, bool reopened) {
    const int renewed_budget_below = reopened ? outcome.retry_count - 1 : 0;
    settle_.run(target_broker, outcome.seq, to_string(outcome.status), outcome.retry_count,
                to_sql(outcome.next_retry_at), or_null(outcome.last_error), to_sql(outcome.published_at),
                to_sql(outcome.abandoned_at), or_null(outcome.receipt), renewed_budget_below);
}

std::size_t sqlite_lane_session::purge(const lease_grant& grant, std::string_view target_broker,
                                       date_time published_before, date_time abandoned_before, std::size_t limit) {
    constexpr std::size_t least_examined = 500;
    const std::size_t most_examined = std::max(least_examined, 4 * limit);

    transaction writing{*db_, transaction::kind::write};
    const auto lease = read_lease(grant.lane);
    if (!is_same_history(grant) || !lease || !is_granted(*lease, grant)) return 0;

    const auto part = shard_of(grant.lane);
    auto& cursor = purged_upto_.try_emplace(std::string{target_broker}, 0).first->second;
    std::vector<sequence> expired;
    std::size_t examined = 0;
    bool more = false;
    {
        // What was written and settled after the later cut has nothing old behind it, so the walk ends there. A time
        // that has not come yet says nothing: such a row is passed.
        const auto later = to_sql(std::max(published_before, abandoned_before));
        const auto now = to_sql(system_clock().now());
        const auto is_young = [&](std::string_view time) { return time >= later && time <= now; };
        auto settled = purgeable_.query(target_broker, cursor, lease->mark, to_sql(published_before),
                                        to_sql(abandoned_before), most_examined);
        while (settled.next() && !(is_young(settled.view(1)) && is_young(settled.view(4))) && expired.size() < limit) {
            cursor = settled.integer(0);
            if (settled.integer(2) != 0 && part.carries(settled.view(3))) expired.push_back(cursor);
            more = ++examined == most_examined || expired.size() == limit;
        }
    }
    if (!more) cursor = 0;
    for (const auto seq : expired) purge_.run(target_broker, seq);
    writing.commit();
    return expired.size();
}

}  // namespace

std::unique_ptr<lane_session> make_lane_session(std::unique_ptr<connection> db) {
    return std::make_unique<sqlite_lane_session>(std::move(db));
}

}  // namespace sluice::store::sqlite
