#include "store/postgresql/lane_link.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "store/postgresql/failure.hpp"
#include "store/postgresql/history.hpp"
#include "store/postgresql/ledger_sql.hpp"

namespace sluice::store::postgresql {
namespace {

using namespace std::chrono_literals;

/// The mark is a row that is written over and over, and while somebody's old snapshot is open each of its versions
/// stays and has to be walked past. A mark that lags a little costs a restart a few rows to pass over, nothing else.
constexpr auto mark_interval = 200ms;

}  // namespace

connection& lane_link::db() {
    if (db_ && !(*db_)->look_alive()) db_.reset();
    if (!db_) {
        wake.disconnected();
        same_history_.clear();
        auto fresh = shared.pool.keep(lane_use(shared.options));
        bool in_recovery = false;
        stamp_ = ask_history(*fresh, shared.options.schema, in_recovery);
        if (in_recovery) {
            throw store_error{fmt::format("{}: it is a standby, on which no lane works; {}", fresh->server_name(),
                                          remedy_for("25006")),
                              error_nature::outage};
        }
        db_.emplace(std::move(fresh));
    }
    return **db_;
}

connection* lane_link::db_of(const lease_grant& grant) {
    auto& server = db();
    if (same_history_.contains(grant.lane)) return &server;
    lost_history_ = difference_between(grant.history, stamp_);
    if (lost_history_.empty()) lost_history_ = missing_witness(server, grant);
    if (!lost_history_.empty()) return nullptr;
    same_history_.insert(grant.lane);
    return &server;
}

/// Numbers may go on above those that the lane has seen before it asks: the event itself tells.
std::string lane_link::missing_witness(connection& server, const lease_grant& grant) {
    const auto memory = shared.memory_of(grant);
    exchange trip{server};
    const auto place = trip.add(sql.witness, parameters{memory->witness});
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

void lane_link::guard_timeline(exchange& trip, const connection& server, const lease_grant& grant) const {
    const auto known = grant.history.find("timeline");
    if (!server.pooled() || !server.may_ask_timeline() || known == grant.history.end()) return;
    trip.add(sql.require_timeline, parameters{known->second});
}

bool lane_link::run_guarded(exchange& trip, const connection& server, const lease_grant& grant) {
    try {
        trip.run();
        return true;
    } catch (const statement_error& refusal) {
        if (!server.pooled() || refusal.sqlstate() != "SL001" || refusal.detail() == SLUICE_LEDGER_MOVED) throw;
        lost_history_ = fmt::format("timeline was {} and is {}", grant.history.at("timeline"), refusal.detail());
        same_history_.clear();
        db_.reset();  // what is known of the server is that of another one
        return false;
    }
}

gap_tracker& lane_link::gaps_of(const lease_grant& grant) { return shared.memory_of(grant)->gaps; }

void lane_link::raise_mark_later(const lease_grant& grant, sequence mark) {
    if (const auto horizon = gaps_of(grant).horizon()) mark = std::min(mark, *horizon - 1);
    unwritten_mark_ = unwritten_rescan_ == grant.rescan ? std::max(unwritten_mark_, mark) : mark;
    unwritten_rescan_ = grant.rescan;
}

void lane_link::raise_mark(exchange& trip, const lease_grant& grant, bool at_once) {
    const auto now = steady::now();
    if (unwritten_mark_ == 0 || (!at_once && now - mark_written_ < mark_interval)) return;
    trip.add(sql.raise_mark, parameters{grant.lane, grant.owner, grant.epoch, unwritten_rescan_, unwritten_mark_});
    unwritten_mark_ = 0;
    mark_written_ = now;
}

sequence lane_link::mark_of(const lease_grant& grant, sequence stored, std::uint64_t stored_rescan) const {
    const bool counts = stored_rescan == grant.rescan && unwritten_rescan_ == stored_rescan;
    return counts ? std::max(stored, unwritten_mark_) : stored;
}

void lane_link::begin(const lease_grant& grant) {
    same_history_.insert(grant.lane);
    shared.forget(grant.lane);
    unwritten_mark_ = 0;
    seen = {.lane = grant.lane,
            .broker = seen.broker,
            .owner = grant.owner,
            .epoch = grant.epoch,
            .rescan = grant.rescan,
            .high = gaps_of(grant).high(),
            .mine = true,
            .unfinished = true};
}

}  // namespace sluice::store::postgresql
