#include "store/sqlite/lane_link.hpp"

#include "store/sqlite/history.hpp"

namespace sluice::store::sqlite {

lane_link::lane_link(std::unique_ptr<connection> db) : db_{std::move(db)}, stamp_{ask_history(*db_)} {}

lease_row read_lease_row(const rows& found) {
    return {.lane = found.text(0),
            .owner = found.text(1),
            .epoch = static_cast<std::uint64_t>(found.integer(2)),
            .expires_at = found.time(3),
            .mark = found.integer(4),
            .rescan = static_cast<std::uint64_t>(found.integer(5)),
            .former = found.text(6)};
}

std::optional<lease_row> lane_link::read_lease(std::string_view lane) {
    auto found = read_lease_.query(lane);
    if (!found.next()) return std::nullopt;
    return read_lease_row(found);
}

std::optional<lease_row> lane_link::owned(const lease_grant& grant) {
    if (!is_same_history(grant)) return std::nullopt;
    auto lease = read_lease(grant.lane);
    if (!lease || lease->owner != grant.owner || lease->epoch != grant.epoch) return std::nullopt;
    return lease;
}

bool lane_link::is_same_history(const lease_grant& grant) {
    if (same_history_.contains(grant.lane)) return true;
    lost_history_ = difference_between(grant.history, stamp_);
    if (lost_history_.empty()) same_history_.insert(grant.lane);
    return lost_history_.empty();
}

const history_stamp& lane_link::look_at_history() {
    stamp_ = ask_history(*db_);
    return stamp_;
}

lane_news& lane_link::watch_news() {
    if (!news_) news_.emplace(*db_);
    return *news_;
}

}  // namespace sluice::store::sqlite
