#include <algorithm>
#include <memory>
#include <utility>

#include "store/lane_layout.hpp"
#include "store/lane_name.hpp"
#include "store/memory/lane_link.hpp"
#include "store/memory/sessions.hpp"

namespace sluice::store::memory {
namespace {

void store_report(memory_lease& lease, const lease_report& report) {
    lease.state = report.state;
    lease.detail = report.detail;
    lease.published = report.published;
    lease.refused = report.refused;
    lease.rate = report.rate;
    lease.since = report.since;
}

class memory_lease_session final : public lease_session {
public:
    explicit memory_lease_session(std::shared_ptr<lane_link> link) : link_{std::move(link)} {}

    lease_answer acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) override;
    bool renew(lease_grant& grant, const lease_report& report, date_time now, duration ttl) override;
    void release(const lease_grant& grant, const lease_report& report) override;

private:
    /// The lease rows that `lane` must live with. The caller holds the lock.
    [[nodiscard]] std::vector<lease_row> rows_beside(std::string_view lane) const;

    std::shared_ptr<lane_link> link_;
};

lease_answer memory_lease_session::acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) {
    const std::lock_guard lock{link_->data.mutex};
    link_->seen = link_->data.news;
    const auto layout = lane_layout::with(lane, rows_beside(lane), now, ttl);
    if (!layout.obstacle.empty()) return lease_answer::no(layout.obstacle);
    for (const auto& name : layout.retired) link_->data.leases.erase(name);
    for (const auto& name : layout.created) {
        link_->data.leases[name] = {.epoch = std::max(layout.epoch, link_->data.incarnation),
                                    .expires_at = now,
                                    .mark = layout.mark,
                                    .rescan = layout.rescan,
                                    .former = layout.former,
                                    .state = "idle",
                                    .since = now};
    }

    auto& lease = link_->data.leases.find(lane)->second;
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

std::vector<lease_row> memory_lease_session::rows_beside(std::string_view lane) const {
    std::vector<lease_row> rows;
    for (const auto& [name, lease] : link_->data.leases) {
        if (!shares_rows(name, lane)) continue;
        rows.push_back({name, lease.owner, lease.epoch, lease.expires_at, lease.mark, lease.rescan, lease.former});
    }
    return rows;
}

bool memory_lease_session::renew(lease_grant& grant, const lease_report& report, date_time now, duration ttl) {
    const std::lock_guard lock{link_->data.mutex};
    auto* const lease = link_->owned(grant);
    if (lease == nullptr) return false;
    lease->expires_at = now + ttl;
    store_report(*lease, report);
    grant.expires_at = lease->expires_at;
    return true;
}

void memory_lease_session::release(const lease_grant& grant, const lease_report& report) {
    const std::lock_guard lock{link_->data.mutex};
    auto* const lease = link_->owned(grant);
    if (lease == nullptr) return;
    lease->owner.clear();
    store_report(*lease, report);
    link_->data.tell_lanes();
}

}  // namespace

std::unique_ptr<lease_session> make_lease_session(std::shared_ptr<lane_link> link) {
    return std::make_unique<memory_lease_session>(std::move(link));
}

}  // namespace sluice::store::memory
