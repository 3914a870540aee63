#include "store/lane_session.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "store/sqlite/journal_watch.hpp"
#include "store/sqlite/lane_sql.hpp"
#include "store/sqlite/sessions.hpp"

namespace sluice::store::sqlite {
namespace {

/// What is in a lease row beside the report.
struct lease_row {
    std::string owner;
    std::uint64_t epoch = 0;
    date_time expires_at;
    sequence mark = 0;
    std::uint64_t rescan = 0;

    [[nodiscard]] bool may_be_taken_by(std::string_view who, date_time now) const {
        return owner.empty() || owner == who || expires_at <= now;
    }
    [[nodiscard]] bool granted(const lease_grant& grant) const { return owner == grant.owner && epoch == grant.epoch; }
};

class sqlite_lane_session final : public lane_session {
public:
    explicit sqlite_lane_session(std::unique_ptr<connection> db) : db_{std::move(db)} {}

    std::optional<lease_grant> acquire(std::string_view lane, std::string_view owner, date_time now,
                                       duration ttl) override;
    bool renew(lease_grant& grant, const lane_report& report, date_time now, duration ttl) override;
    void release(const lease_grant& grant, const lane_report& report) override;

    due_batch due(const lease_grant& grant, std::string_view target_broker, sequence after, std::size_t limit) override;
    due_batch due_in_stream(const lease_grant& grant, std::string_view target_broker, std::string_view stream,
                            sequence after, sequence upto, std::size_t limit) override;

    settle_outcome settle(const lease_grant& grant, std::string_view target_broker,
                          std::span<const settlement> settlements, sequence mark) override;

    wake_reason wait(wake_signal& signal, duration timeout) override { return news_.wait(signal, timeout); }

    std::size_t purge(const lease_grant& grant, std::string_view target_broker, date_time published_before,
                      date_time abandoned_before, std::size_t limit) override;

private:
    [[nodiscard]] std::optional<lease_row> read_lease(std::string_view lane);
    /// Fills `rows` and what the lease says beside them; false when the lease is no longer the grant's.
    [[nodiscard]] bool read_owned(const lease_grant& grant, due_batch& batch);
    void write_outcome(std::string_view target_broker, const settlement& outcome, bool reopened);

    std::unique_ptr<connection> db_;
    journal_watch news_{*db_};
    std::map<std::string, sequence, std::less<>> purged_upto_;  ///< per broker, where the next purge goes on

    statement read_lease_{*db_, "SELECT owner, epoch, expires_at, mark, rescan FROM lease WHERE lane = ?1"};
    statement create_lease_{*db_,
                            "INSERT INTO lease (lane, owner, epoch, expires_at, state, since)"
                            " VALUES (?1, ?2, 1, ?3, 'idle', ?4)"};
    statement take_lease_{*db_,
                          "UPDATE lease SET owner = ?2, epoch = ?3, expires_at = ?4, state = 'idle', since = ?5,"
                          " detail = '', published = 0, refused = 0, rate = 0 WHERE lane = ?1"};
    statement renew_lease_{*db_,
                           "UPDATE lease SET expires_at = ?4, state = ?5, detail = ?6, published = ?7, refused = ?8,"
                           " rate = ?9, since = ?10 WHERE lane = ?1 AND owner = ?2 AND epoch = ?3"};
    statement release_lease_{*db_,
                             "UPDATE lease SET owner = '', state = ?4, detail = ?5, published = ?6, refused = ?7,"
                             " rate = ?8, since = ?9 WHERE lane = ?1 AND owner = ?2 AND epoch = ?3"};
    statement raise_mark_{*db_, "UPDATE lease SET mark = ?2 WHERE lane = ?1 AND mark < ?2"};
    statement due_{*db_, due_sql};
    statement due_in_stream_{*db_, due_in_stream_sql};
    statement settle_{*db_, settle_sql};
    statement purgeable_{*db_, purgeable_sql};
    statement purge_{*db_, purge_sql};
};

std::optional<lease_row> sqlite_lane_session::read_lease(std::string_view lane) {
    auto found = read_lease_.query(lane);
    if (!found.next()) return std::nullopt;
    return lease_row{.owner = found.text(0),
                     .epoch = static_cast<std::uint64_t>(found.integer(1)),
                     .expires_at = found.time(2),
                     .mark = found.integer(3),
                     .rescan = static_cast<std::uint64_t>(found.integer(4))};
}

std::optional<lease_grant> sqlite_lane_session::acquire(std::string_view lane, std::string_view owner, date_time now,
                                                        duration ttl) {
    // A stand-by asks often and mostly in vain: it shall not take the write lock for that.
    if (const auto seen = read_lease(lane); seen && !seen->may_be_taken_by(owner, now)) {
        news_.seen();
        return std::nullopt;
    }
    transaction writing{*db_, transaction::kind::write};
    news_.seen();
    const auto lease = read_lease(lane);
    if (lease && !lease->may_be_taken_by(owner, now)) return std::nullopt;

    lease_grant grant{.lane = std::string{lane}, .owner = std::string{owner}, .epoch = 1, .expires_at = now + ttl};
    if (!lease) {
        create_lease_.run(lane, owner, to_sql(grant.expires_at), to_sql(now));
    } else {
        grant.epoch = lease->owner == owner ? lease->epoch : lease->epoch + 1;
        grant.mark = lease->mark;
        grant.rescan = lease->rescan;
        take_lease_.run(lane, owner, grant.epoch, to_sql(grant.expires_at), to_sql(now));
    }
    writing.commit();
    return grant;
}

bool sqlite_lane_session::renew(lease_grant& grant, const lane_report& report, date_time now, duration ttl) {
    const auto expires_at = now + ttl;
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
    batch.owned = lease && lease->granted(grant);
    if (!batch.owned) return false;
    batch.rescan = lease->rescan;
    batch.mark = lease->mark;
    return true;
}

std::vector<due_row> read_due(rows found) {
    std::vector<due_row> due;
    while (found.next()) {
        due.push_back({.seq = found.integer(0),
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
                                 .created_at = found.time(12)}});
    }
    return due;
}

due_batch sqlite_lane_session::due(const lease_grant& grant, std::string_view target_broker, sequence after,
                                   std::size_t limit) {
    due_batch batch;
    const transaction snapshot{*db_, transaction::kind::read};
    news_.seen();
    if (read_owned(grant, batch)) batch.rows = read_due(due_.query(target_broker, after, limit));
    return batch;
}

due_batch sqlite_lane_session::due_in_stream(const lease_grant& grant, std::string_view target_broker,
                                             std::string_view stream, sequence after, sequence upto,
                                             std::size_t limit) {
    due_batch batch;
    const transaction snapshot{*db_, transaction::kind::read};
    if (read_owned(grant, batch)) {
        batch.rows = read_due(due_in_stream_.query(target_broker, stream, after, upto, limit));
    }
    return batch;
}

settle_outcome sqlite_lane_session::settle(const lease_grant& grant, std::string_view target_broker,
                                           std::span<const settlement> settlements, sequence mark) {
    transaction writing{*db_, transaction::kind::write};
    const auto lease = read_lease(grant.lane);
    if (!lease || !lease->granted(grant)) return settle_outcome::fenced;

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
    if (!lease || !lease->granted(grant)) return 0;

    auto& cursor = purged_upto_.try_emplace(std::string{target_broker}, 0).first->second;
    std::vector<sequence> expired;
    std::size_t examined = 0;
    bool more = false;
    {
        const auto too_young = to_sql(std::max(published_before, abandoned_before));
        auto settled = purgeable_.query(target_broker, cursor, lease->mark, to_sql(published_before),
                                        to_sql(abandoned_before), most_examined);
        while (settled.next() && settled.view(1) < too_young && expired.size() < limit) {
            cursor = settled.integer(0);
            if (settled.integer(2) != 0) expired.push_back(cursor);
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
