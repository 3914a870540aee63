#include <algorithm>
#include <chrono>
#include <utility>

#include "store/lane_layout.hpp"
#include "store/lane_name.hpp"
#include "store/memory/sessions.hpp"

namespace sluice::store::memory {
namespace {

/// Registers a sleeper's signal with the committers for as long as it sleeps.
class registration {
public:
    registration(memory_data& data, base::wake_signal& signal) : data_{data} {
        const std::lock_guard lock{data_.mutex};
        place_ = data_.sleepers.insert(&signal);
    }
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
    ~registration() {
        const std::lock_guard lock{data_.mutex};
        data_.sleepers.erase(place_);
    }

private:
    memory_data& data_;
    std::multiset<base::wake_signal*>::iterator place_{};
};

void store_report(memory_lease& lease, const lane_report& report) {
    lease.state = report.state;
    lease.detail = report.detail;
    lease.published = report.published;
    lease.refused = report.refused;
    lease.rate = report.rate;
    lease.since = report.since;
}

bool expired(const memory_row& row, date_time published_before, date_time abandoned_before) {
    if (row.status == row_status::published) return row.published_at && *row.published_at < published_before;
    return row.status == row_status::abandoned && row.abandoned_at && *row.abandoned_at < abandoned_before;
}

class memory_lane_session final : public lane_session {
public:
    explicit memory_lane_session(memory_data& data) : data_{data} {
        const std::lock_guard lock{data_.mutex};
        seen_ = data_.news;
    }

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

private:
    // The caller of these holds the lock.
    /// The lease rows that `lane` must live with.
    [[nodiscard]] std::vector<lease_row> rows_beside(std::string_view lane) const;
    [[nodiscard]] memory_lease* owned(const lease_grant& grant);
    [[nodiscard]] memory_data::rows_of_broker& rows_of(std::string_view target_broker) {
        return data_.outbox[std::string{target_broker}];
    }
    [[nodiscard]] due_row make_due(sequence seq, const memory_row& row) const;
    static void write_outcome(memory_row& row, const settlement& outcome, bool reopened);

    memory_data& data_;
    std::uint64_t seen_ = 0;  ///< the news that the last look included
};

lease_answer memory_lane_session::acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) {
    const std::lock_guard lock{data_.mutex};
    seen_ = data_.news;
    const auto layout = lane_layout::with(lane, rows_beside(lane), now, ttl);
    if (!layout.obstacle.empty()) return lease_answer::no(layout.obstacle);
    for (const auto& name : layout.retired) data_.leases.erase(name);
    for (const auto& name : layout.created) {
        data_.leases[name] = {.epoch = std::max(layout.epoch, data_.incarnation),
                              .expires_at = now,
                              .mark = layout.mark,
                              .rescan = layout.rescan,
                              .former = layout.former,
                              .state = "idle",
                              .since = now};
    }

    auto& lease = data_.leases.find(lane)->second;
    if (!lease_row{.owner = lease.owner, .expires_at = lease.expires_at}.may_be_taken_by(owner, now, ttl)) {
        return lease_answer::no(obstacle_text(lane, lease.owner));
    }
    if (lease.owner != owner) ++lease.epoch;
    lease.owner = owner;
    lease.expires_at = now + ttl;
    store_report(lease, {.state = "idle", .detail = "", .since = now});
    return lease_grant{.lane = std::string{lane},
                       .owner = lease.owner,
                       .epoch = lease.epoch,
                       .expires_at = lease.expires_at,
                       .mark = lease.mark,
                       .rescan = lease.rescan,
                       .former = split_former(lease.former)};
}

std::vector<lease_row> memory_lane_session::rows_beside(std::string_view lane) const {
    std::vector<lease_row> rows;
    for (const auto& [name, lease] : data_.leases) {
        if (!shares_rows(name, lane)) continue;
        rows.push_back({name, lease.owner, lease.epoch, lease.expires_at, lease.mark, lease.rescan, lease.former});
    }
    return rows;
}

bool memory_lane_session::renew(lease_grant& grant, const lane_report& report, date_time now, duration ttl) {
    const std::lock_guard lock{data_.mutex};
    auto* const lease = owned(grant);
    if (lease == nullptr) return false;
    lease->expires_at = now + ttl;
    store_report(*lease, report);
    grant.expires_at = lease->expires_at;
    return true;
}

void memory_lane_session::release(const lease_grant& grant, const lane_report& report) {
    const std::lock_guard lock{data_.mutex};
    auto* const lease = owned(grant);
    if (lease == nullptr) return;
    lease->owner.clear();
    store_report(*lease, report);
    data_.tell_lanes();
}

due_batch memory_lane_session::due(const lease_grant& grant, std::string_view target_broker, sequence after,
                                   const page_size& limit) {
    const std::lock_guard lock{data_.mutex};
    seen_ = data_.news;
    const auto* const lease = owned(grant);
    if (lease == nullptr) return {.rows = {}, .owned = false};
    due_batch batch{.rows = {}, .rescan = lease->rescan, .mark = lease->mark};
    const auto part = shard_of(grant.lane);
    const auto& rows = rows_of(target_broker);
    page_meter page{limit};
    for (auto it = rows.upper_bound(after); it != rows.end() && batch.rows.size() < limit.rows; ++it) {
        if (is_open(it->second.status) && part.carries(data_.event(it->first).stream)) {
            due_row row = make_due(it->first, it->second);
            batch.more = !page.admits(bytes_of(row));
            if (batch.more) break;
            batch.rows.push_back(std::move(row));
        }
        if (!part.is_whole()) batch.upto = it->first;
    }
    return batch;
}

due_batch memory_lane_session::due_in_stream(const lease_grant& grant, std::string_view target_broker,
                                             std::string_view stream, sequence after, sequence upto,
                                             const page_size& limit) {
    const std::lock_guard lock{data_.mutex};
    const auto* const lease = owned(grant);
    if (lease == nullptr) return {.rows = {}, .owned = false};
    due_batch batch{.rows = {}, .rescan = lease->rescan, .mark = lease->mark};
    const auto events = data_.streams.find(stream);
    if (events == data_.streams.end()) return batch;
    const auto& rows = rows_of(target_broker);
    page_meter page{limit};
    for (auto seq = std::ranges::upper_bound(events->second, after);
         seq != events->second.end() && *seq <= upto && batch.rows.size() < limit.rows; ++seq) {
        const auto row = rows.find(*seq);
        if (row == rows.end() || !is_open(row->second.status)) continue;
        due_row due = make_due(*seq, row->second);
        batch.more = !page.admits(bytes_of(due));
        if (batch.more) break;
        batch.rows.push_back(std::move(due));
    }
    return batch;
}

settle_outcome memory_lane_session::settle(const lease_grant& grant, std::string_view target_broker,
                                           std::span<const settlement> settlements, sequence mark) {
    const std::lock_guard lock{data_.mutex};
    auto* const lease = owned(grant);
    if (lease == nullptr) return settle_outcome::fenced;
    const bool reopened = lease->rescan != grant.rescan;
    auto& rows = rows_of(target_broker);
    for (const auto& outcome : settlements) {
        const auto row = rows.find(outcome.seq);
        if (row != rows.end()) write_outcome(row->second, outcome, reopened);
    }
    if (!reopened) lease->mark = std::max(lease->mark, mark);
    return settle_outcome::settled;
}

wake_reason memory_lane_session::wait(wake_signal& signal, duration timeout) {
    const registration registered{data_, signal};
    const auto look = [this] {
        const std::lock_guard lock{data_.mutex};
        return data_.news != seen_;
    };
    if (look()) return wake_reason::file_changed;
    const auto woken = base::wait_any(signal, nullptr, timeout);
    // A committer uses the same signal as everybody else.
    return woken == wake_reason::signalled && look() ? wake_reason::file_changed : woken;
}

std::size_t memory_lane_session::purge(const lease_grant& grant, std::string_view target_broker,
                                       date_time published_before, date_time abandoned_before, std::size_t limit) {
    const std::lock_guard lock{data_.mutex};
    const auto* const lease = owned(grant);
    if (lease == nullptr) return 0;
    const auto part = shard_of(grant.lane);
    auto& rows = rows_of(target_broker);
    std::size_t purged = 0;
    for (auto it = rows.begin(); it != rows.end() && it->first <= lease->mark && purged < limit;) {
        if (expired(it->second, published_before, abandoned_before) && part.carries(data_.event(it->first).stream)) {
            it = rows.erase(it);
            ++purged;
        } else {
            ++it;
        }
    }
    return purged;
}

memory_lease* memory_lane_session::owned(const lease_grant& grant) {
    const auto found = data_.leases.find(grant.lane);
    if (found == data_.leases.end()) return nullptr;
    auto& lease = found->second;
    return lease.owner == grant.owner && lease.epoch == grant.epoch ? &lease : nullptr;
}

due_row memory_lane_session::make_due(sequence seq, const memory_row& row) const {
    return {.seq = seq,
            .status = row.status,
            .priority = row.priority,
            .retry_count = row.retry_count,
            .next_retry_at = row.next_retry_at,
            .last_error = row.last_error,
            .event = data_.event(seq)};
}

void memory_lane_session::write_outcome(memory_row& row, const settlement& outcome, bool reopened) {
    if (row.status == row_status::published) return;
    const bool budget_was_renewed = reopened && row.retry_count < outcome.retry_count - 1;
    if (outcome.status != row_status::published && (row.status == row_status::abandoned || budget_was_renewed)) return;
    row.status = outcome.status;
    row.retry_count = outcome.retry_count;
    row.next_retry_at = outcome.next_retry_at;
    row.last_error = outcome.last_error;
    row.published_at = outcome.published_at;
    row.abandoned_at = outcome.abandoned_at;
    row.receipt = outcome.receipt;
}

}  // namespace

std::unique_ptr<lane_session> make_lane_session(memory_data& data) {
    return std::make_unique<memory_lane_session>(data);
}

}  // namespace sluice::store::memory
