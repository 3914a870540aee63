#include "store/lease_session.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/lane_layout.hpp"
#include "store/lane_name.hpp"
#include "store/lane_shares.hpp"
#include "store/sqlite/history.hpp"
#include "store/sqlite/lane_link.hpp"
#include "store/sqlite/sessions.hpp"

namespace sluice::store::sqlite {
namespace {

class sqlite_lease_session final : public lease_session {
public:
    explicit sqlite_lease_session(std::shared_ptr<lane_link> link) : link_{std::move(link)} {}

    lease_answer acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) override;
    bool renew(lease_grant& grant, const lease_report& report, date_time now, duration ttl) override;
    void release(const lease_grant& grant, const lease_report& report) override;
    void stand_by(std::string_view lane, std::string_view owner, date_time now, duration ttl) override;
    void withdraw(std::string_view lane, std::string_view owner) override;
    std::string choose_heir(const lease_grant& grant, date_time now, duration ttl) override;
    std::optional<lane_pause> pause_of(std::string_view broker) override;
    std::string lost_history() const override { return link_->lost_history(); }

private:
    [[nodiscard]] std::uint64_t incarnation();
    [[nodiscard]] std::string stored_history(std::string_view lane);
    /// The lease rows that `lane` must live with.
    [[nodiscard]] std::vector<lease_row> rows_beside(std::string_view lane);
    /// Why the lane cannot be taken now; empty when it can.
    [[nodiscard]] std::string find_obstacle(std::string_view lane, std::string_view owner, date_time now, duration ttl);
    /// Who shall take the lane and lives; empty when nobody has been chosen.
    [[nodiscard]] std::string find_heir(std::string_view lane, date_time now, duration ttl);
    [[nodiscard]] std::vector<owned_lane> owned_lanes(date_time now, duration ttl);
    [[nodiscard]] std::vector<standing_by> waiting(date_time now, duration ttl);

    std::shared_ptr<lane_link> link_;

    statement read_leases_{link_->db(), "SELECT lane, owner, epoch, expires_at, mark, rescan, former FROM lease"};
    statement create_lease_{link_->db(),
                            "INSERT INTO lease (lane, owner, epoch, expires_at, mark, rescan, former, state, since)"
                            " VALUES (?1, '', ?2, ?3, ?4, ?5, ?6, 'idle', ?3)"};
    statement retire_lease_{link_->db(), "DELETE FROM lease WHERE lane = ?1"};
    statement take_lease_{link_->db(),
                          "UPDATE lease SET owner = ?2, epoch = ?3, expires_at = ?4, state = 'idle', since = ?5,"
                          " detail = '', published = 0, refused = 0, rate = 0, mark = ?6, history = ?7"
                          " WHERE lane = ?1"};
    statement history_{link_->db(), "SELECT history FROM lease WHERE lane = ?1"};
    statement incarnation_{link_->db(),
                           "SELECT coalesce((SELECT CAST(value AS INTEGER) FROM sluice_meta"
                           " WHERE key = 'incarnation'), 0)"};
    statement pause_{link_->db(), "SELECT value FROM sluice_meta WHERE key = ?1 || ?2"};
    statement renew_lease_{link_->db(),
                           "UPDATE lease SET expires_at = ?4, state = ?5, detail = ?6, published = ?7, refused = ?8,"
                           " rate = ?9, since = ?10 WHERE lane = ?1 AND owner = ?2 AND epoch = ?3"};
    statement release_lease_{link_->db(),
                             "UPDATE lease SET owner = '', state = ?4, detail = ?5, published = ?6, refused = ?7,"
                             " rate = ?8, since = ?9 WHERE lane = ?1 AND owner = ?2 AND epoch = ?3"};
    statement read_stand_bys_{link_->db(),
                              "SELECT w.lane, w.owner, w.expires_at, w.heir_of <> 0 AND w.heir_of = held.epoch"
                              " FROM stand_by AS w LEFT JOIN lease AS held ON held.lane = w.lane"
                              " WHERE ?1 = '' OR w.lane = ?1"};
    statement stand_by_{link_->db(),
                        "INSERT INTO stand_by (lane, owner, expires_at) VALUES (?1, ?2, ?3)"
                        " ON CONFLICT (lane, owner) DO UPDATE SET expires_at = excluded.expires_at"};
    statement forget_stand_bys_{link_->db(), "DELETE FROM stand_by WHERE expires_at <= ?1"};
    statement withdraw_{link_->db(), "DELETE FROM stand_by WHERE lane = ?1 AND owner = ?2"};
    statement choose_heir_{link_->db(),
                           "UPDATE stand_by SET heir_of = CASE WHEN owner = ?3 THEN ?2 ELSE 0 END WHERE lane = ?1"};
};

/// Of a lease that somebody had.
std::optional<date_time> known_expiry(const lease_row& lease) {
    if (lease.epoch == 0) return std::nullopt;
    return lease.expires_at;
}

std::vector<lease_row> sqlite_lease_session::rows_beside(std::string_view lane) {
    std::vector<lease_row> leases;
    for (auto found = read_leases_.query(); found.next();) {
        if (shares_rows(found.view(0), lane)) leases.push_back(read_lease_row(found));
    }
    return leases;
}

std::string sqlite_lease_session::find_obstacle(std::string_view lane, std::string_view owner, date_time now,
                                                duration ttl) {
    const auto leases = rows_beside(lane);
    const auto mine = std::ranges::find(leases, lane, &lease_row::lane);
    if (mine != leases.end() && !mine->may_be_taken_by(owner, now, ttl)) return obstacle_text(lane, mine->owner);
    if (mine != leases.end() && mine->owner != owner) {
        const auto heir = find_heir(lane, now, ttl);
        if (!heir.empty() && heir != owner) return heir_text(lane, heir);
    }
    return lane_layout::with(lane, leases, now, ttl).obstacle;
}

lease_answer sqlite_lease_session::acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) {
    // A stand-by asks often and mostly in vain: it shall not take the write lock for that.
    if (auto obstacle = find_obstacle(lane, owner, now, ttl); !obstacle.empty()) {
        link_->seen();
        return lease_answer::no(std::move(obstacle));
    }
    transaction writing{link_->db(), transaction::kind::write};
    link_->seen();
    if (auto obstacle = find_obstacle(lane, owner, now, ttl); !obstacle.empty())
        return lease_answer::no(std::move(obstacle));

    const auto layout = lane_layout::with(lane, rows_beside(lane), now, ttl);
    for (const auto& name : layout.retired) retire_lease_.run(name);
    for (const auto& name : layout.created) {
        create_lease_.run(name, std::max(layout.epoch, incarnation()), to_sql(now), layout.mark, layout.rescan,
                          layout.former);
    }
    const auto lease = link_->read_lease(lane).value();
    const auto& stamp = link_->look_at_history();
    auto other = link_->take_lost_history();
    if (other.empty()) other = difference_between(stamp_from(stored_history(lane)), stamp);
    const auto open = other.empty() ? open_below{} : find_open_below(link_->db(), lane, lease.mark);
    const auto mark = open.count > 0 ? open.lowest - 1 : lease.mark;
    const lease_grant grant{.lane = std::string{lane},
                            .owner = std::string{owner},
                            .epoch = lease.owner == owner ? lease.epoch : lease.epoch + 1,
                            .expires_at = now + ttl,
                            .expired_before = known_expiry(lease),
                            .mark = mark,
                            .rescan = lease.rescan,
                            .former = split_former(lease.former),
                            .history = stamp,
                            .other_history = std::move(other),
                            .reopened = open.count};
    take_lease_.run(lane, owner, grant.epoch, to_sql(grant.expires_at), to_sql(now), mark, to_text(stamp));
    withdraw_.run(lane, owner);
    writing.commit();
    link_->trust(grant.lane);
    return grant;
}

std::vector<standing_by> read_stand_bys(rows found, date_time now, duration ttl) {
    std::vector<standing_by> all;
    while (found.next()) {
        if (lasts(found.time(2), now, ttl)) all.push_back({found.text(0), found.text(1), found.integer(3) != 0});
    }
    return all;
}

std::vector<standing_by> sqlite_lease_session::waiting(date_time now, duration ttl) {
    return read_stand_bys(read_stand_bys_.query(""), now, ttl);
}

std::string sqlite_lease_session::find_heir(std::string_view lane, date_time now, duration ttl) {
    const auto all = read_stand_bys(read_stand_bys_.query(lane), now, ttl);
    const auto heir = std::ranges::find_if(all, &standing_by::is_heir);
    return heir == all.end() ? std::string{} : heir->owner;
}

std::vector<owned_lane> sqlite_lease_session::owned_lanes(date_time now, duration ttl) {
    std::vector<owned_lane> owned;
    for (auto found = read_leases_.query(); found.next();) {
        auto lease = read_lease_row(found);
        const bool is_lane = !broker_of(lease.lane).empty();
        if (is_lane && lease.is_owned(now, ttl)) owned.push_back({std::move(lease.lane), std::move(lease.owner)});
    }
    return owned;
}

void sqlite_lease_session::stand_by(std::string_view lane, std::string_view owner, date_time now, duration ttl) {
    transaction writing{link_->db(), transaction::kind::write};
    forget_stand_bys_.run(to_sql(now));
    stand_by_.run(lane, owner, to_sql(now + ttl));
    writing.commit();
}

void sqlite_lease_session::withdraw(std::string_view lane, std::string_view owner) {
    transaction writing{link_->db(), transaction::kind::write};
    withdraw_.run(lane, owner);
    writing.commit();
}

std::string sqlite_lease_session::choose_heir(const lease_grant& grant, date_time now, duration ttl) {
    // Mostly there is nobody, and the write lock is not wanted for that.
    if (store::choose_heir(grant.lane, owned_lanes(now, ttl), waiting(now, ttl)).empty()) return {};
    transaction writing{link_->db(), transaction::kind::write};
    if (!link_->owned(grant)) return {};
    auto heir = store::choose_heir(grant.lane, owned_lanes(now, ttl), waiting(now, ttl));
    if (heir.empty()) return heir;
    choose_heir_.run(grant.lane, grant.epoch, heir);
    writing.commit();
    return heir;
}

std::uint64_t sqlite_lease_session::incarnation() {
    auto found = incarnation_.query();
    return found.next() ? static_cast<std::uint64_t>(found.integer(0)) : 0;
}

std::string sqlite_lease_session::stored_history(std::string_view lane) {
    auto found = history_.query(lane);
    return found.next() ? found.text(0) : std::string{};
}

std::optional<lane_pause> sqlite_lease_session::pause_of(std::string_view broker) {
    auto found = pause_.query(pause_prefix, broker);
    return found.next() ? std::optional{pause_from(found.view(0))} : std::nullopt;
}

bool sqlite_lease_session::renew(lease_grant& grant, const lease_report& report, date_time now, duration ttl) {
    const auto expires_at = now + ttl;
    if (!link_->is_same_history(grant)) return false;
    transaction writing{link_->db(), transaction::kind::write};
    if (renew_lease_.run(grant.lane, grant.owner, grant.epoch, to_sql(expires_at), report.state, report.detail,
                         report.published, report.refused, report.rate, to_sql(report.since)) == 0) {
        return false;
    }
    writing.commit();
    grant.expires_at = expires_at;
    return true;
}

void sqlite_lease_session::release(const lease_grant& grant, const lease_report& report) {
    transaction writing{link_->db(), transaction::kind::write};
    release_lease_.run(grant.lane, grant.owner, grant.epoch, report.state, report.detail, report.published,
                       report.refused, report.rate, to_sql(report.since));
    writing.commit();
}

}  // namespace

std::unique_ptr<lease_session> make_lease_session(std::shared_ptr<lane_link> link) {
    return std::make_unique<sqlite_lease_session>(std::move(link));
}

}  // namespace sluice::store::sqlite
