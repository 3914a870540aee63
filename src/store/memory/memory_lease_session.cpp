#include <algorithm>
#include <memory>
#include <utility>

#include "store/lane_layout.hpp"
#include "store/lane_name.hpp"
#include "store/lane_shares.hpp"
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
    void stand_by(std::string_view lane, std::string_view owner, date_time now, duration ttl) override;
    void withdraw(std::string_view lane, std::string_view owner) override;
    std::string choose_heir(const lease_grant& grant, date_time now, duration ttl) override;
    std::optional<lane_pause> pause_of(std::string_view broker) override;

private:
    /// The lease rows that `lane` must live with. The caller holds the lock.
    [[nodiscard]] std::vector<lease_row> rows_beside(std::string_view lane) const;
    /// All who stand by and live. The caller holds the lock.
    [[nodiscard]] std::vector<standing_by> waiting(date_time now, duration ttl) const;

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
    for (const auto& each : waiting(now, ttl)) {
        const bool is_before_us = each.is_heir && each.lane == lane && each.owner != owner && lease.owner != owner;
        if (is_before_us) return lease_answer::no(heir_text(lane, each.owner));
    }
    link_->data.stand_bys.erase({std::string{lane}, std::string{owner}});
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

std::vector<standing_by> memory_lease_session::waiting(date_time now, duration ttl) const {
    std::vector<standing_by> all;
    for (const auto& [name, each] : link_->data.stand_bys) {
        if (!lasts(each.expires_at, now, ttl)) continue;
        const auto& [lane, owner] = name;
        const auto lease = link_->data.leases.find(lane);
        const bool is_heir =
            lease != link_->data.leases.end() && each.heir_of != 0 && lease->second.epoch == each.heir_of;
        all.push_back({lane, owner, is_heir});
    }
    return all;
}

void memory_lease_session::stand_by(std::string_view lane, std::string_view owner, date_time now, duration ttl) {
    const std::lock_guard lock{link_->data.mutex};
    std::erase_if(link_->data.stand_bys, [now](const auto& each) { return each.second.expires_at <= now; });
    link_->data.stand_bys[{std::string{lane}, std::string{owner}}].expires_at = now + ttl;
}

void memory_lease_session::withdraw(std::string_view lane, std::string_view owner) {
    const std::lock_guard lock{link_->data.mutex};
    link_->data.stand_bys.erase({std::string{lane}, std::string{owner}});
}

std::string memory_lease_session::choose_heir(const lease_grant& grant, date_time now, duration ttl) {
    const std::lock_guard lock{link_->data.mutex};
    if (link_->owned(grant) == nullptr) return {};
    std::vector<owned_lane> owned;
    for (const auto& [lane, lease] : link_->data.leases) {
        const bool is_lane = !broker_of(lane).empty();
        const lease_row row{.owner = lease.owner, .expires_at = lease.expires_at};
        if (is_lane && row.is_owned(now, ttl)) owned.push_back({lane, lease.owner});
    }
    auto heir = store::choose_heir(grant.lane, owned, waiting(now, ttl));
    if (heir.empty()) return heir;
    for (auto& [name, each] : link_->data.stand_bys) {
        if (name.first == grant.lane) each.heir_of = name.second == heir ? grant.epoch : 0;
    }
    return heir;
}

std::optional<lane_pause> memory_lease_session::pause_of(std::string_view broker) {
    const std::lock_guard lock{link_->data.mutex};
    const auto found = link_->data.pauses.find(broker);
    return found == link_->data.pauses.end() ? std::nullopt : std::optional{found->second};
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
