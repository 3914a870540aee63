#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/time.hpp>

#include "base/calendar_watch.hpp"
#include "base/moment.hpp"
#include "base/random.hpp"
#include "broker/verdict.hpp"
#include "config/configuration.hpp"
#include "lease/lease_keeper.hpp"
#include "outbox/lane_action.hpp"
#include "outbox/lane_state.hpp"
#include "outbox/outage_clock.hpp"
#include "outbox/rate_meter.hpp"
#include "outbox/row_batch.hpp"
#include "outbox/row_lifecycle.hpp"
#include "outbox/stream_holds.hpp"
#include "outbox/token_bucket.hpp"
#include "store/lane_session.hpp"

namespace sluice::outbox {

/// What became of one row that was sent. The event's payload is no longer there.
struct row_outcome {
    store::logged_event event;
    store::settlement settlement;
    std::string error;  ///< the broker's reason for a refusal, one line

    /// From the commit to the confirmation; nothing unless it was published.
    [[nodiscard]] std::optional<duration> latency() const {
        if (!settlement.published_at) return std::nullopt;
        return std::max(*settlement.published_at - event.created_at, duration{0});
    }
};

/// Decides what a lane does next. Pure: it is told what happened and the time, and answers with one action. It waits by
/// the monotonic half of the time; the other half only enters what is stored.
///
/// The rules it keeps:
/// - Rows travel in insertion order. A refused row holds back only the later rows of its own stream; they are passed
///   over and caught up, from the refused row on, before any newer row of that stream travels.
/// - An unreachable broker pauses the lane at no cost to any row. What was not confirmed is forgotten and read again
///   after a successful probe, so that what an operator discarded meanwhile is not sent.
/// - Every row up to the cursor is settled, in hand, or in a stream on hold. The low-water mark stays below all of
///   those that are open.
/// - Nothing is published unless the lease outlasts it. A lane that lost its lease forgets everything.
/// - At most one batch is in flight, one is ready behind it, and the verdicts of one wait to be settled. A ready batch
///   starts only after the verdicts of the one before are known.
/// - A lane that only passes the rows of other shards moves its mark too, with each renewal: a successor begins there.
/// - While there is a backfill, the rows that are newer than it wait: the store hands out none above its position. It
///   moves on when everything up to there was read.
/// - When an operator reopened rows (the rescan counter moved), what is under way is settled, and the lane begins again
///   at the stored mark.
/// - A lane that an operator has paused settles what is on its way, keeps its lease, and reads and sends nothing.
/// - A lane that has an heir finishes the batch in hand, settles it and gives the lease back; it reads and sends no
///   more. A hand-over is an ordinary release, and what the heir does is an ordinary acquisition.
/// - Who stands by says so after a third of a lease, so that an engine that ends at once is given nothing.
/// - Between two batches of the clean-up it looks for rows, however slow the clean-up is.
/// - There is no sleep while there is a backlog, unless the lane has a rate to keep to.
///
/// Memory: three batches of rows, and one entry for each of at most `max_holds` streams (plus one batch).
///
/// Thread safety: none. While a batch is in flight, another thread may read `in_flight()`.
class lane_plan {
public:
    static constexpr std::size_t max_holds = 10'000;

    /// @param overlap  publish a batch while the one before is settled and the next is fetched
    /// @param drain  how long to try to leave tidily after `stop_requested`
    /// @param rate_limit  rows per second; 0: as many as can be sent
    lane_plan(const config::outbox_settings& settings, duration drain, bool overlap, base::random_source& random,
              double rate_limit = 0);
    lane_plan(const lane_plan&) = delete;
    lane_plan& operator=(const lane_plan&) = delete;

    [[nodiscard]] lane_action next(base::moment now);

    // What happened.
    /// @param asked  when the lease was asked for: it is counted from then on
    void acquired(store::lease_grant grant, base::moment asked);
    /// @param obstacle  who is in the way
    void not_acquired(std::string_view obstacle, base::moment now);
    /// @param asked  as for `acquired`
    void renewed(bool still_ours, base::moment asked);
    /// An operator has told the lane to rest, or to go on.
    /// @param why  for people; nothing: it may work
    void set_operator_pause(std::optional<std::string> why, base::moment now);
    void stands_by(base::moment now);
    void withdrawn() noexcept { announced_ = false; }
    /// @param heir  the engine that is to have the lane; empty: this one keeps it
    void balanced(std::string heir);
    void fetched(store::due_batch batch, base::moment now);
    void caught_up(const std::string& stream, store::due_batch batch, base::moment now);
    void backfilled(const store::backfill_step& step, base::moment now);
    void published(std::span<const broker::verdict> verdicts, base::moment now);
    /// The outcomes that are durable now; none when the lease was lost.
    [[nodiscard]] std::vector<row_outcome> settled(store::settle_outcome outcome, base::moment now);
    /// @param trouble  empty when the broker answers
    void probed(std::string_view trouble, base::moment now);
    void purged(std::size_t deleted, base::moment now);
    void released(base::moment now);
    /// There may be new rows.
    void woken() noexcept;
    /// The database failed; the last action did not happen, or is not known to have.
    void store_failed(base::moment now);
    void stop_requested(base::moment now);
    /// Why there is no owner any more, in place of what the plan thought.
    void explain_loss(std::string_view reason);

    // What the actions are about.
    [[nodiscard]] std::span<const store::due_row> in_flight() const noexcept { return in_flight_.rows; }
    [[nodiscard]] std::span<const row_outcome> unsettled() const noexcept { return unsettled_; }
    [[nodiscard]] bool is_flying() const noexcept { return flying_; }
    /// Every row of the lane up to here is settled in the database.
    [[nodiscard]] store::sequence settled_upto() const noexcept { return stored_mark_; }
    [[nodiscard]] store::lease_grant& grant() { return grant_; }
    [[nodiscard]] const sluice::lease::lease_keeper& lease() const noexcept { return lease_; }
    [[nodiscard]] store::lease_report report(base::moment now) const;
    /// The last report, left with the lease that is given back.
    [[nodiscard]] store::lease_report farewell(base::moment now) const;
    [[nodiscard]] lane_state state() const noexcept { return state_.current(); }
    [[nodiscard]] bool is_owner() const noexcept { return owner_; }
    /// It had the lease and gave it to another engine.
    [[nodiscard]] bool has_handed_over() const noexcept { return !owner_ && handed_over_; }
    [[nodiscard]] bool is_paused() const noexcept { return broker_outage_.lasts(); }
    /// Rows that were read after the lane had gone past their number, since it took the lease.
    [[nodiscard]] std::int64_t overtaken() const noexcept { return overtaken_; }

private:
    [[nodiscard]] bool is_leaving() const noexcept { return stopping_ || !heir_.empty(); }
    // Paragraphs of `next`; nothing means "not my case".
    [[nodiscard]] lane_action without_lease(base::moment now) const;
    [[nodiscard]] std::optional<lane_action> work(base::moment now);
    [[nodiscard]] bool may_start() const noexcept;
    [[nodiscard]] lane_action start_publishing(base::moment now);
    [[nodiscard]] std::optional<lane_action> fill_up(base::moment now);
    [[nodiscard]] std::optional<lane_action> gather(base::moment now);
    [[nodiscard]] std::optional<lane_action> next_catch_up(base::moment now);
    [[nodiscard]] std::optional<lane_action> clean_up(base::moment now) const;
    /// When the backfill is to move on; nothing while there is none that does.
    [[nodiscard]] std::optional<instant> next_backfill() const;
    [[nodiscard]] lane_action rest(instant now) const;

    [[nodiscard]] bool looks_elsewhere(const store::due_batch& batch, base::moment now);
    void pass_over_held_rows(base::moment now);
    void settle_row(store::due_row& row, const broker::verdict& verdict, base::moment now);
    void continue_streams(const std::set<std::string, std::less<>>& stopped, base::moment now);
    void wait_on(const std::set<std::string, std::less<>>& stopped);
    [[nodiscard]] instant retry_time(const store::due_row& row, base::moment now) const;
    void pause(std::string_view reason, base::moment now);
    void put_back_ready(base::moment now);
    void read_again(const store::due_row& row, base::moment now);
    void store_works() noexcept;
    void lose(std::string_view reason, base::moment now);
    void forget() noexcept;
    [[nodiscard]] store::sequence mark() const;
    /// The database's mark lags behind, though there was nothing to settle.
    [[nodiscard]] bool should_store_mark() const { return mark_is_due_ && mark() > stored_mark_; }
    // Asserted in builds with assertions.
    [[nodiscard]] bool is_consistent() const;
    /// No row of the batch that is ready overtakes an earlier one of its stream.
    [[nodiscard]] bool ready_keeps_order() const;
    [[nodiscard]] lane_state evaluate(base::moment now) const;
    [[nodiscard]] std::string detail() const;

    std::size_t batch_size_;
    std::size_t batch_bytes_;
    duration tick_;
    config::cleanup_settings cleanup_;
    duration drain_;
    bool overlap_;
    base::random_source& random_;
    row_lifecycle lifecycle_;
    token_bucket bucket_;
    std::size_t batch_limit_ = 0;  ///< rows of a batch as the rate allows now; 0: none

    sluice::lease::lease_keeper lease_;
    store::lease_grant grant_{};
    bool owner_ = false;
    instant acquire_at_{};
    std::string lost_reason_{};
    std::optional<std::string> operator_pause_{};
    std::optional<instant> announce_at_{};  ///< when to say again that it stands by
    bool announced_ = false;                ///< that it stands by; perhaps no longer
    instant balance_at_{};                  ///< from then on, with the next renewal
    bool balance_is_due_ = false;
    std::string heir_{};  ///< the engine that is to have the lane
    bool handed_over_ = false;

    store::sequence cursor_ = 0;                       ///< every open row up to here was read
    bool more_ = false;                                ///< there may be rows behind the cursor
    bool crowded_ = false;                             ///< too many numbers may still be filled by running transactions
    bool backlog_ = false;                             ///< the last look found a full batch
    instant poll_at_{};                                ///< when to look for them without having been woken
    bool look_again_ = false;                          ///< rows were reopened below the cursor
    std::optional<store::backfill_place> backfill_{};  ///< as the last look found it
    instant backfill_at_{};                            ///< not before may it move on
    store::sequence stored_mark_ = 0;
    bool mark_is_due_ = false;
    bool caught_up_last_ = false;
    bool cleaned_up_last_ = false;  ///< and has read nothing since
    stream_holds holds_;
    std::string refusal_{};

    row_batch ready_;
    row_batch in_flight_;
    bool flying_ = false;
    bool forget_verdicts_ = false;  ///< the lease was lost while the batch was in flight
    std::vector<row_outcome> unsettled_;

    outage_clock broker_outage_;
    outage_clock store_outage_;

    instant purge_at_{};
    base::calendar_watch calendar_;
    bool stopping_ = false;
    bool released_ = false;
    instant leave_by_{};

    state_clock state_;
    rate_meter rate_;
    std::int64_t published_ = 0;
    std::int64_t refused_ = 0;
    std::int64_t overtaken_ = 0;
};

}  // namespace sluice::outbox
