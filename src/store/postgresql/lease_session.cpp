#include "store/lease_session.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "store/lane_layout.hpp"
#include "store/lane_name.hpp"
#include "store/lane_shares.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/history.hpp"
#include "store/postgresql/lane_link.hpp"
#include "store/postgresql/long_transaction.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/sessions.hpp"

namespace sluice::store::postgresql {
namespace {

/// What a later owner compares with: it may reach the same server by another way.
history_stamp stored_stamp(history_stamp stamp) {
    stamp.erase("address");
    stamp.erase("started");
    return stamp;
}

class postgresql_lease_session final : public lease_session {
public:
    explicit postgresql_lease_session(std::shared_ptr<lane_link> link) : link_{std::move(link)} {}

    lease_answer acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) override;
    bool renew(lease_grant& grant, const lease_report& report, date_time now, duration ttl) override;
    void release(const lease_grant& grant, const lease_report& report) override;
    void stand_by(std::string_view lane, std::string_view owner, date_time now, duration ttl) override;
    void withdraw(std::string_view lane, std::string_view owner) override;
    std::string choose_heir(const lease_grant& grant, date_time now, duration ttl) override;
    std::optional<lane_pause> pause_of(std::string_view broker) override;
    std::string lost_history() const override { return link_->lost_history(); }

private:
    [[nodiscard]] std::optional<date_time> lease_clock(date_time now) const;

    std::shared_ptr<lane_link> link_;
};

std::optional<date_time> postgresql_lease_session::lease_clock(date_time now) const {
    if (link_->shared.options.server_clock) return std::nullopt;
    return now;
}

lease_answer postgresql_lease_session::acquire(std::string_view lane, std::string_view owner, date_time now,
                                               duration ttl) {
    link_->seen = {.lane = std::string{lane}, .broker = std::string{broker_of(lane)}};
    const auto layout = array_of(layout_of(lane));
    auto& server = link_->db();
    exchange ask{server};
    link_->wake.leave(ask);
    const auto asked = ask.add(link_->sql.read_lease,
                               parameters{lane, link_->seen.broker, owner, lease_clock(now), layout, ttl.count()});
    ask.run();
    const auto& there = ask[asked];
    if (!there.null(0, 0)) {
        link_->seen.owner = there.text(0, 0);
        link_->seen.epoch = static_cast<std::uint64_t>(there.integer(0, 1));
    }
    if (!there.null(0, 2)) return lease_answer::no(obstacle_text(there.view(0, 2), there.view(0, 3)));
    if (!there.null(0, 8)) return lease_answer::no(heir_text(lane, there.view(0, 8)));

    // What the last owner knew of the log may be about another one. Its mark is checked once.
    link_->stamp()["incarnation"] = there.text(0, 7);
    auto other = link_->take_lost_history();
    if (other.empty() && !there.null(0, 5)) other = difference_between(stamp_from(there.view(0, 5)), link_->stamp());
    open_below open;
    if (!other.empty() && !there.null(0, 4)) {
        open = find_open_below(server, link_->shared.options.schema, lane, there.integer(0, 4),
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
    trip.add(link_->sql.lock_layout, parameters{link_->seen.broker});
    trip.add(link_->sql.change_layout, parameters{link_->seen.broker, layout, lease_clock(now), now, ttl.count()});
    const auto taken =
        trip.add(link_->sql.acquire, parameters{lane, link_->seen.broker, layout, owner, lease_clock(now), ttl.count(),
                                                now, highest_mark, to_text(stored_stamp(link_->stamp()))});
    trip.add(link_->sql.withdraw_owner, parameters{lane, owner});
    const auto trimmed = trip.add(link_->sql.trim_ledger, parameters{link_->seen.broker});
    trip.run();
    if (trip[taken].rows() == 0) return lease_answer::no("somebody else was faster");
    if (const auto records = trip[trimmed].affected(); records > 0 && other.empty()) {
        other = fmt::format("{} records of the ledger were behind the end of the log", records);
    }

    // Counted from before the question: by the caller's clock the lease is never longer than by the server's.
    const lease_grant grant{.lane = std::string{lane},
                            .owner = std::string{owner},
                            .epoch = static_cast<std::uint64_t>(trip[taken].integer(0, 0)),
                            .expires_at = now + ttl,
                            .mark = trip[taken].integer(0, 1),
                            .rescan = static_cast<std::uint64_t>(trip[taken].integer(0, 2)),
                            .former = split_former(trip[taken].view(0, 3)),
                            .history = link_->stamp(),
                            .other_history = std::move(other),
                            .reopened = open.count};
    link_->begin(grant);
    return grant;
}

bool postgresql_lease_session::renew(lease_grant& grant, const lease_report& report, date_time now, duration ttl) {
    auto* const server = link_->db_of(grant);
    if (server == nullptr) return false;
    exchange trip{*server};
    link_->guard_timeline(trip, *server, grant);
    link_->raise_mark(trip, grant, true);
    const auto renewed = trip.add(
        link_->sql.renew, parameters{grant.lane, grant.owner, grant.epoch, lease_clock(now), ttl.count(), report.state,
                                     report.detail, report.published, report.refused, report.rate, report.since,
                                     link_->gaps_of(grant).horizon().value_or(0), report.overtaken});
    if (!link_->run_guarded(trip, *server, grant)) return false;
    if (trip[renewed].rows() == 0) return false;
    link_->unwanted = trip[renewed].boolean(0, 0) ? std::string{} : grant.lane;
    grant.expires_at = now + ttl;
    return true;
}

void postgresql_lease_session::stand_by(std::string_view lane, std::string_view owner, date_time now, duration ttl) {
    exchange trip{link_->db()};
    trip.add(link_->sql.stand_by, parameters{lane, owner, lease_clock(now), ttl.count()});
    trip.run();
}

void postgresql_lease_session::withdraw(std::string_view lane, std::string_view owner) {
    exchange trip{link_->db()};
    trip.add(link_->sql.withdraw, parameters{lane, owner});
    trip.run();
}

std::string choose_heir_from(const result& shares, std::string_view lane) {
    std::vector<owned_lane> owned;
    std::vector<standing_by> waiting;
    for (int row = 0; row < shares.rows(); ++row) {
        auto name = shares.text(row, share_column::lane);
        auto owner = shares.text(row, share_column::owner);
        if (shares.null(row, share_column::is_heir)) {
            owned.push_back({std::move(name), std::move(owner)});
        } else {
            waiting.push_back({std::move(name), std::move(owner), shares.boolean(row, share_column::is_heir)});
        }
    }
    return store::choose_heir(lane, owned, waiting);
}

std::string postgresql_lease_session::choose_heir(const lease_grant& grant, date_time now, duration ttl) {
    // Mostly the renewal has told that there is nobody.
    if (std::exchange(link_->unwanted, {}) == grant.lane) return {};
    auto* const server = link_->db_of(grant);
    if (server == nullptr) return {};
    exchange look{*server};
    const auto shares = look.add(link_->sql.shares, parameters{lease_clock(now), ttl.count()});
    look.run();
    if (choose_heir_from(look[shares], grant.lane).empty()) return {};

    long_transaction choosing{*server};
    choosing.run(link_->sql.lock_shares);
    auto heir =
        choose_heir_from(choosing.run(link_->sql.shares, parameters{lease_clock(now), ttl.count()}), grant.lane);
    if (heir.empty()) return heir;
    const auto chosen =
        choosing.run(link_->sql.choose_heir, parameters{grant.lane, grant.owner, grant.epoch, std::string_view{heir}});
    if (chosen.affected() == 0) return {};
    choosing.commit();
    return heir;
}

std::optional<lane_pause> postgresql_lease_session::pause_of(std::string_view broker) {
    exchange trip{link_->db()};
    const auto asked =
        trip.add({"", in_schema("SELECT value FROM @sluice_meta WHERE key = $1 || $2", link_->shared.options.schema)},
                 parameters{pause_prefix, broker});
    trip.run();
    return trip[asked].rows() == 0 ? std::nullopt : std::optional{pause_from(trip[asked].view(0, 0))};
}

void postgresql_lease_session::release(const lease_grant& grant, const lease_report& report) {
    // The lease itself may have come along into another history; what the lane knows of its rows has not.
    auto* const same = link_->db_of(grant);
    auto& server = same != nullptr ? *same : link_->db();
    exchange trip{server};
    if (same != nullptr) {
        link_->guard_timeline(trip, server, grant);
        link_->raise_mark(trip, grant, true);
    }
    trip.add(link_->sql.release,
             parameters{grant.lane, grant.owner, grant.epoch, report.state, report.detail, report.published,
                        report.refused, report.rate, report.since, report.overtaken});
    static_cast<void>(link_->run_guarded(trip, server, grant));
}

}  // namespace

std::unique_ptr<lease_session> make_lease_session(std::shared_ptr<lane_link> link) {
    return std::make_unique<postgresql_lease_session>(std::move(link));
}

}  // namespace sluice::store::postgresql
