#pragma once

#include <cstddef>
#include <string>
#include <variant>

#include <sluice/time.hpp>

#include "store/records.hpp"

/// What a lane's plan can ask its shell to do. Each is answered by the plan's member named beside it.
namespace sluice::outbox::action {

/// Take the lease: `acquired` or `not_acquired`.
struct acquire {};
/// Extend the lease and store the report: `renewed`.
struct renew {};
/// Say that this engine stands by for the lane: `stands_by`.
struct stand_by {};
/// Take that back: `withdrawn`.
struct withdraw {};
/// Ask whether another engine is to have the lane: `balanced`.
struct balance {};
/// Read open rows behind the cursor: `fetched`.
struct fetch {
    store::sequence after = 0;
    std::size_t limit = 0;
    std::size_t bytes = 0;  ///< of data and metadata; one row in any case
};
/// Read open rows of a stream that was on hold: `caught_up`.
struct catch_up {
    std::string stream;
    store::sequence after = 0;
    store::sequence upto = 0;
    std::size_t limit = 0;
    std::size_t bytes = 0;
};
/// Give the lane the next events of the broker's backfill: `backfilled`.
struct backfill {
    std::size_t limit = 0;
};
/// Send the rows of `in_flight()`. With `overlap`, start sending and come back for other work; else also `collect`.
struct publish {
    bool overlap = false;
};
/// Wait for the verdicts of the batch in flight: `published`.
struct collect {};
/// Write `unsettled()` and the low-water mark: `settled`.
struct settle {
    store::sequence mark = 0;
};
/// Ask whether the broker answers again: `probed`.
struct probe {};
/// Delete old settled rows: `purged`.
struct purge {
    date_time published_before;
    date_time abandoned_before;
    std::size_t limit = 0;
};
/// Nothing to do until then. With `rows_wake`, new rows end the sleep (`woken`); a stop always does.
struct sleep {
    instant until;
    bool rows_wake = false;
};
/// Give the lease back: `released`.
struct release {};
/// The lane has come to its end.
struct stop {};

}  // namespace sluice::outbox::action

namespace sluice::outbox {

using lane_action =
    std::variant<action::acquire, action::renew, action::stand_by, action::withdraw, action::balance, action::fetch,
                 action::catch_up, action::backfill, action::publish, action::collect, action::settle, action::probe,
                 action::purge, action::sleep, action::release, action::stop>;

}  // namespace sluice::outbox
