#include "outbox/lane_plan.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <initializer_list>
#include <utility>

#include "base/backoff.hpp"
#include "base/one_line.hpp"
#include "outbox/low_water.hpp"

namespace sluice::outbox {

namespace {

using namespace std::chrono_literals;

constexpr duration first_probe = 100ms;
constexpr duration first_store_retry = 100ms;
constexpr duration longest_store_retry = 5s;
constexpr duration first_clean_up = 60s;  ///< after taking the lease, so that short lives clean up too
constexpr duration next_clean_up = 50ms;  ///< between two batches of one clean-up
constexpr duration shortest_tick = 1ms;
constexpr std::size_t backfill_page = 1000;  ///< rows that one step of a backfill adds

duration from_hours(double hours) { return base::from_seconds(hours * 3600); }

std::string handed_over_to(const std::string& heir) { return "handed over to " + heir; }

std::string backfill_text(const store::backfill_place& at) {
    return "backfill at event " + std::to_string(at.position) + " of " + std::to_string(at.upto);
}

instant earliest(instant first, std::initializer_list<std::optional<instant>> others) {
    for (const auto& other : others) {
        if (other) first = std::min(first, *other);
    }
    return first;
}

}  // namespace

lane_plan::lane_plan(const config::outbox_settings& settings, duration drain, bool overlap, base::random_source& random,
                     double rate_limit)
    : batch_size_{std::max<std::size_t>(settings.messages_per_tick, 1)},
      batch_bytes_{std::max<std::size_t>(settings.bytes_per_tick, 1)},
      tick_{std::max(base::from_seconds(settings.tick_interval), shortest_tick)},
      cleanup_{settings.cleanup},
      drain_{drain},
      overlap_{overlap},
      random_{random},
      lifecycle_{retry_schedule{settings.retry}},
      bucket_{rate_limit},
      lease_{base::from_seconds(settings.lease_seconds), base::from_seconds(settings.publish_timeout_seconds)},
      broker_outage_{{first_probe, 2, base::from_seconds(settings.max_probe_interval_seconds)}, random},
      store_outage_{{first_store_retry, 2, longest_store_retry}, random} {}

// ---- what next ------------------------------------------------------------------------------------------------------

lane_action lane_plan::next(base::moment now) {
    assert(is_consistent());
    calendar_.noted(now);
    batch_limit_ = std::min(batch_size_, bucket_.available(now.steady));
    purge_at_ = std::max(purge_at_, calendar_.trusted_from());
    state_.enter(evaluate(now), now);

    if (forget_verdicts_) return action::collect{};
    if (!owner_) return without_lease(now);
    if (stopping_ && (released_ || now.steady >= leave_by_))
        return flying_ ? lane_action{action::collect{}} : action::stop{};
    if (store_outage_.lasts() && now.steady < store_outage_.retry_at()) {
        if (flying_) return action::collect{};
        return action::sleep{stopping_ ? std::min(store_outage_.retry_at(), leave_by_) : store_outage_.retry_at(),
                             false};
    }
    const bool is_done = is_leaving() && !flying_ && unsettled_.empty();
    if (now.steady >= lease_.renew_at() && !is_done) return action::renew{};
    if (auto step = work(now)) return *step;
    state_.enter(evaluate(now), now);
    return rest(now.steady);
}

lane_action lane_plan::without_lease(base::moment now) const {
    const bool is_told = announced_ && !store_outage_.lasts();
    if (stopping_) return is_told ? lane_action{action::withdraw{}} : action::stop{};
    const auto not_before = store_outage_.lasts() ? store_outage_.retry_at() : instant{};
    if (now.steady >= std::max(acquire_at_, not_before)) return action::acquire{};
    const auto at = std::max(earliest(acquire_at_, {announce_at_}), not_before);
    if (now.steady >= at) return action::stand_by{};
    return action::sleep{at, !store_outage_.lasts()};
}

/// A batch is started before the one ahead of it is settled and the next is read: those happen while it is in flight.
std::optional<lane_action> lane_plan::work(base::moment now) {
    if (is_leaving()) put_back_ready(now);
    if (may_start()) {
        pass_over_held_rows(now);
        if (auto step = fill_up(now)) return step;
        if (!ready_.empty()) return start_publishing(now);
    }
    if (!unsettled_.empty() || should_store_mark()) return action::settle{mark()};
    if (is_leaving() && !flying_) return action::release{};
    if (state_.tell_at() && now.steady >= *state_.tell_at()) return action::renew{};
    if (is_paused() && !operator_pause_ && now.steady >= broker_outage_.retry_at()) return action::probe{};
    if (balance_is_due_ && !is_leaving()) return action::balance{};
    if (!cleaned_up_last_) {
        if (auto step = clean_up(now)) return step;
    }
    if (auto step = gather(now)) return step;
    if (auto step = clean_up(now)) return step;
    if (flying_) return action::collect{};
    return std::nullopt;
}

bool lane_plan::may_start() const noexcept {
    const bool verdicts_known = !flying_ && (unsettled_.empty() || (overlap_ && !store_outage_.lasts()));
    return verdicts_known && !is_paused() && !operator_pause_ && !look_again_;
}

lane_action lane_plan::start_publishing(base::moment now) {
    if (!lease_.may_publish(now.steady)) return action::renew{};
    assert(ready_keeps_order());
    const bool other_work = more_ || !unsettled_.empty() || holds_.first_due(now.steady);
    bucket_.take(ready_.rows.size(), now.steady);
    in_flight_ = std::exchange(ready_, {});
    flying_ = true;
    return action::publish{overlap_ && other_work};
}

/// Streams that are due share a batch. Nothing is read before the verdicts of its earlier rows are settled.
std::optional<lane_action> lane_plan::fill_up(base::moment now) {
    if (ready_.empty() || ready_.from_cursor() || !unsettled_.empty()) return std::nullopt;
    return next_catch_up(now);
}

/// Reads the next batch: streams whose hold is over and rows behind the cursor by turns, when there are both.
std::optional<lane_action> lane_plan::gather(base::moment now) {
    if (is_paused() || operator_pause_ || is_leaving() || batch_limit_ == 0 || (look_again_ && flying_))
        return std::nullopt;
    if (now.steady >= poll_at_) more_ = true;
    const bool may_read_on = more_ && holds_.size() < max_holds && ready_.empty();
    if (!(may_read_on && (caught_up_last_ || look_again_))) {
        if (auto step = next_catch_up(now)) return step;
    }
    if (may_read_on) return action::fetch{cursor_, batch_limit_, batch_bytes_};
    const bool has_read_all = !more_ && !look_again_ && ready_.empty() && holds_.size() < max_holds;
    if (const auto at = next_backfill(); at && has_read_all && now.steady >= *at)
        return action::backfill{backfill_page};
    return std::nullopt;
}

std::optional<lane_action> lane_plan::next_catch_up(base::moment now) {
    const std::size_t bytes = ready_.bytes();
    const bool has_room =
        ready_.empty() || (!ready_.from_cursor() && ready_.rows.size() < batch_limit_ && bytes < batch_bytes_);
    if (!has_room) return std::nullopt;
    while (const auto stream = holds_.first_due(now.steady)) {
        const auto from = holds_.find(*stream)->from;
        if (from <= cursor_) {
            return action::catch_up{*stream, from - 1, cursor_, batch_limit_ - ready_.rows.size(),
                                    batch_bytes_ - bytes};
        }
        holds_.release(*stream);  // none of its rows was passed over
    }
    return std::nullopt;
}

std::optional<lane_action> lane_plan::clean_up(base::moment now) const {
    if (now.steady < purge_at_) return std::nullopt;
    return action::purge{now.wall - from_hours(cleanup_.published_retention_hours),
                         now.wall - from_hours(cleanup_.abandoned_retention_hours), cleanup_.batch_size};
}

std::optional<instant> lane_plan::next_backfill() const {
    if (!backfill_ || backfill_->is_paused) return std::nullopt;
    return backfill_at_;
}

lane_action lane_plan::rest(instant now) const {
    const auto until = earliest(lease_.renew_at(), {state_.tell_at(), purge_at_});
    if (operator_pause_) return action::sleep{until, false};
    if (is_paused()) return action::sleep{std::min(until, broker_outage_.retry_at()), false};
    if (batch_limit_ == 0) return action::sleep{std::min(until, bucket_.available_at(now)), true};
    if (holds_.size() >= max_holds) return action::sleep{earliest(until, {holds_.next_due()}), false};
    return action::sleep{earliest(until, {poll_at_, holds_.next_due(), next_backfill()}), true};
}

// ---- what happened --------------------------------------------------------------------------------------------------

void lane_plan::acquired(store::lease_grant grant, base::moment asked) {
    store_works();
    forget();
    grant_ = std::move(grant);
    owner_ = true;
    lost_reason_.clear();
    announce_at_.reset();
    announced_ = false;
    handed_over_ = false;
    lease_.granted(asked.steady);
    balance_at_ = lease_.renew_at();
    cursor_ = grant_.mark;
    stored_mark_ = grant_.mark;
    mark_is_due_ = false;
    more_ = true;
    if (grant_.expired_before) calendar_.compare(*grant_.expired_before, asked);
    poll_at_ = asked.steady;
    purge_at_ = asked.steady + std::min(first_clean_up, base::from_seconds(cleanup_.interval_seconds));
    published_ = 0;
    refused_ = 0;
    overtaken_ = 0;
}

void lane_plan::not_acquired(std::string_view obstacle, base::moment now) {
    store_works();
    lost_reason_ = base::one_line(obstacle);
    acquire_at_ = now.steady + lease_.stand_by_interval();
    if (!announce_at_) announce_at_ = now.steady + lease_.renewal_interval();
}

void lane_plan::stands_by(base::moment now) {
    store_works();
    announced_ = true;
    announce_at_ = now.steady + lease_.renewal_interval();
}

void lane_plan::balanced(std::string heir) {
    store_works();
    balance_is_due_ = false;
    if (!owner_ || heir.empty()) return;
    heir_ = std::move(heir);
    mark_is_due_ = true;
}

void lane_plan::renewed(bool still_ours, base::moment asked) {
    store_works();
    if (!still_ours) return lose("another owner took the lease", asked);
    lease_.granted(asked.steady);
    state_.told();
    mark_is_due_ = true;
    if (asked.steady < balance_at_) return;
    balance_is_due_ = true;
    balance_at_ = lease_.renew_at();
}

void lane_plan::set_operator_pause(std::optional<std::string> why, base::moment now) {
    if (why && !operator_pause_) put_back_ready(now);
    operator_pause_ = std::move(why);
}

void lane_plan::fetched(store::due_batch batch, base::moment now) {
    store_works();
    if (looks_elsewhere(batch, now)) return;
    crowded_ = batch.crowded;
    backfill_ = batch.backfill;
    backlog_ = batch.rows.size() >= batch_limit_ || batch.more;
    more_ = backlog_;
    poll_at_ = now.steady + tick_;
    caught_up_last_ = false;
    cleaned_up_last_ = false;
    const auto passed = cursor_;
    cursor_ = std::max(cursor_, batch.upto);
    if (batch.rows.empty()) return;
    overtaken_ += std::ranges::count_if(batch.rows, [passed](const auto& row) { return row.seq <= passed; });
    cursor_ = std::max(cursor_, batch.rows.back().seq);  // they may all be late ones from below it
    ready_.rows = std::move(batch.rows);
}

void lane_plan::caught_up(const std::string& stream, store::due_batch batch, base::moment now) {
    store_works();
    if (looks_elsewhere(batch, now)) return;
    bool complete = batch.rows.size() < batch_limit_ - ready_.rows.size() && !batch.more;
    caught_up_last_ = true;
    cleaned_up_last_ = false;
    if (batch.rows.empty()) return holds_.release(stream);

    const auto& head = batch.rows.front();
    const auto* const hold = holds_.find(stream);
    const bool has_waited = hold != nullptr && hold->waited_for == head.seq;
    if (const auto due = retry_time(head, now); due > now.steady && !has_waited)
        return holds_.wait(stream, head.seq, due);
    const auto waiting = std::find_if(batch.rows.begin() + 1, batch.rows.end(),
                                      [&](const store::due_row& row) { return retry_time(row, now) > now.steady; });
    if (waiting != batch.rows.end()) {
        complete = false;
        batch.rows.erase(waiting, batch.rows.end());
    }
    holds_.travel(stream);
    ready_.caught_up.emplace(stream, complete);
    std::move(batch.rows.begin(), batch.rows.end(), std::back_inserter(ready_.rows));
}

void lane_plan::backfilled(const store::backfill_step& step, base::moment now) {
    store_works();
    if (!step.owned) return lose("another owner took the lease", now);
    if (step.moved) more_ = true;
    backfill_at_ = step.moved ? now.steady : now.steady + tick_;
}

/// The rows just read are of no use: the lease is gone, or rows were reopened and the lane begins again at the stored
/// mark, but only after it has settled what is under way.
bool lane_plan::looks_elsewhere(const store::due_batch& batch, base::moment now) {
    if (!batch.owned) {
        lose("another owner took the lease", now);
        return true;
    }
    if (batch.rescan == grant_.rescan) return false;
    put_back_ready(now);
    more_ = true;
    look_again_ = flying_ || !unsettled_.empty();
    if (!look_again_) {
        grant_.rescan = batch.rescan;
        cursor_ = batch.mark;
        stored_mark_ = batch.mark;
        holds_.clear();
    }
    return true;
}

/// Takes rows of held streams out of the ready batch; a row that failed under an earlier owner puts its stream on hold.
/// Where an earlier row of the stream stays, the hold travels with that one: whatever comes of it comes first.
void lane_plan::pass_over_held_rows(base::moment now) {
    if (!ready_.from_cursor()) return;
    std::set<std::string, std::less<>> waiting;
    std::erase_if(ready_.rows, [&](const store::due_row& row) {
        if (holds_.contains(row.event.stream)) return true;
        const auto due = retry_time(row, now);
        if (due <= now.steady) return false;
        holds_.wait(row.event.stream, row.seq, due);
        waiting.insert(row.event.stream);
        return true;
    });
    if (waiting.empty()) return;
    for (const auto& row : ready_.rows) {
        if (waiting.contains(row.event.stream)) holds_.travel(row.event.stream);
    }
}

void lane_plan::published(std::span<const broker::verdict> verdicts, base::moment now) {
    flying_ = false;
    if (std::exchange(forget_verdicts_, false)) {
        in_flight_ = {};
        return;
    }
    const broker::verdict silence = broker::unreachable{"the broker gave no verdict"};
    std::set<std::string, std::less<>> stopped;  // streams whose later rows were not sent
    std::optional<std::string> outage;
    bool answered = false;
    bool some_read_again = false;
    for (std::size_t i = 0; i < in_flight_.rows.size(); ++i) {
        auto& row = in_flight_.rows[i];
        if (stopped.contains(row.event.stream)) continue;
        const auto& verdict = i < verdicts.size() ? verdicts[i] : silence;
        if (!std::holds_alternative<broker::delivered>(verdict)) stopped.insert(row.event.stream);
        if (const auto* const silent = std::get_if<broker::unreachable>(&verdict)) {
            if (silent->answers) {
                answered = true;
            } else if (!outage) {
                outage = silent->reason;
            }
            if (in_flight_.from_cursor()) {
                read_again(row, now);
                some_read_again = true;
            } else {
                holds_.set(row.event.stream, row.seq, now.steady);
            }
        } else {
            settle_row(row, verdict, now);
            answered = true;
        }
    }
    continue_streams(stopped, now);
    if (in_flight_.from_cursor()) wait_on(stopped);
    in_flight_ = {};
    if (answered) broker_outage_.works();
    if (outage) {
        pause(*outage, now);
    } else if (some_read_again) {
        put_back_ready(now);  // what was read ahead would overtake it
    }
}

void lane_plan::settle_row(store::due_row& row, const broker::verdict& verdict, base::moment now) {
    auto settlement = lifecycle_.after(verdict, row, now.wall, random_);
    if (!settlement) return;
    std::string error;
    if (const auto* const refusal = std::get_if<broker::refused>(&verdict)) {
        error = base::one_line(refusal->reason);
        refusal_ = error;
        if (settlement->status == store::row_status::abandoned) {
            holds_.set(row.event.stream, row.seq + 1, now.steady);
        } else {
            const auto delay = settlement->next_retry_at.value_or(now.wall) - now.wall;
            holds_.wait(row.event.stream, row.seq, now.steady + delay);
        }
    }
    auto event = std::move(row.event);
    row.event.stream = event.stream;  // the rows that follow are compared with it
    event.data = {};
    unsettled_.push_back({std::move(event), std::move(*settlement), std::move(error)});
}

/// A stream being caught up is free when all rows that were passed over have been delivered.
void lane_plan::continue_streams(const std::set<std::string, std::less<>>& stopped, base::moment now) {
    std::map<std::string_view, store::sequence> last;
    for (const auto& row : in_flight_.rows) last[row.event.stream] = row.seq;
    for (const auto& [stream, complete] : in_flight_.caught_up) {
        if (stopped.contains(stream)) continue;
        if (complete) {
            holds_.release(stream);
        } else {
            holds_.set(stream, last.at(stream) + 1, now.steady);
        }
    }
}

/// The later rows of a stream whose earlier ones were delivered: their own wait goes on.
void lane_plan::wait_on(const std::set<std::string, std::less<>>& stopped) {
    for (const auto& row : in_flight_.rows) {
        const auto* const hold = stopped.contains(row.event.stream) ? nullptr : holds_.find(row.event.stream);
        if (hold != nullptr && hold->travelling) holds_.wait(row.event.stream, hold->from, hold->due);
    }
}

std::vector<row_outcome> lane_plan::settled(store::settle_outcome outcome, base::moment now) {
    store_works();
    if (outcome == store::settle_outcome::fenced) {
        lose("another owner took the lease", now);
        return {};
    }
    const auto refusals = std::count_if(unsettled_.begin(), unsettled_.end(), [](const row_outcome& row) {
        return row.settlement.status != store::row_status::published;
    });
    const auto successes = static_cast<std::int64_t>(unsettled_.size()) - refusals;
    refused_ += refusals;
    published_ += successes;
    rate_.add(successes, now.steady);
    look_again_ = look_again_ && flying_;
    stored_mark_ = mark();
    mark_is_due_ = false;
    return std::exchange(unsettled_, {});
}

void lane_plan::probed(std::string_view trouble, base::moment now) {
    if (!trouble.empty()) return pause(trouble, now);
    broker_outage_.over();
    more_ = true;
}

void lane_plan::purged(std::size_t deleted, base::moment now) {
    store_works();
    cleaned_up_last_ = true;
    const bool go_on = deleted > 0 && deleted >= cleanup_.batch_size && !backlog_;
    purge_at_ = now.steady + (go_on ? next_clean_up : base::from_seconds(cleanup_.interval_seconds));
}

void lane_plan::released(base::moment now) {
    if (stopping_) {
        released_ = true;
        return;
    }
    handed_over_ = true;
    lose(handed_over_to(heir_), now);
}

void lane_plan::woken() noexcept {
    more_ = true;
    acquire_at_ = {};
}

void lane_plan::store_failed(base::moment now) {
    store_outage_.failed({}, now);
    // Asked again with the next renewal: a choice that fails keeps no row waiting.
    balance_is_due_ = false;
    // What could not be said in time expires.
    if (stopping_) announced_ = false;
}

void lane_plan::explain_loss(std::string_view reason) {
    if (!owner_) lost_reason_ = base::one_line(reason);
}

void lane_plan::stop_requested(base::moment now) {
    if (stopping_) return;
    stopping_ = true;
    mark_is_due_ = true;
    leave_by_ = now.steady + drain_;
}

// ---- helpers --------------------------------------------------------------------------------------------------------

/// When a failed row's wait is over. The time in the row is the calendar's, so it is believed only as far as its
/// schedule could have meant it.
instant lane_plan::retry_time(const store::due_row& row, base::moment now) const {
    if (!row.next_retry_at) return now.steady;
    return now.until(*row.next_retry_at, lifecycle_.longest_wait(row));
}

void lane_plan::pause(std::string_view reason, base::moment now) {
    put_back_ready(now);
    broker_outage_.failed(reason, now);
}

/// What was read but not sent will be read again.
void lane_plan::put_back_ready(base::moment now) {
    if (ready_.from_cursor()) {
        for (const auto& row : ready_.rows) read_again(row, now);
    } else {
        for (const auto& [stream, complete] : ready_.caught_up)
            holds_.set(stream, holds_.find(stream)->from, now.steady);
    }
    ready_ = {};
}

/// The cursor goes back before a row that it has handed out. A later row of the stream may have put the stream on hold
/// meanwhile: the hold begins with this one then, or it would be passed over for the sake of the later one and never be
/// read.
void lane_plan::read_again(const store::due_row& row, base::moment now) {
    cursor_ = std::min(cursor_, row.seq - 1);
    more_ = true;
    const auto* const hold = holds_.find(row.event.stream);
    if (hold != nullptr && hold->from > row.seq) holds_.begin_earlier(row.event.stream, row.seq, now.steady);
}

void lane_plan::store_works() noexcept {
    store_outage_.over();
    store_outage_.works();
}

void lane_plan::lose(std::string_view reason, base::moment now) {
    forget();
    owner_ = false;
    operator_pause_.reset();
    lost_reason_ = reason;
    acquire_at_ = now.steady;
}

void lane_plan::forget() noexcept {
    holds_.clear();
    ready_ = {};
    unsettled_.clear();
    forget_verdicts_ = flying_;
    heir_.clear();
    balance_is_due_ = false;
    broker_outage_.over();
    refusal_.clear();
    look_again_ = false;
    backfill_.reset();
    backfill_at_ = {};
    crowded_ = false;
    caught_up_last_ = false;
    cleaned_up_last_ = false;
    more_ = false;
    backlog_ = false;
}

bool lane_plan::is_consistent() const {
    if (!holds_.is_consistent()) return false;
    if (!owner_) return holds_.empty() && ready_.empty() && unsettled_.empty();
    const bool ready_was_read = !ready_.from_cursor() || ready_.empty() || ready_.rows.back().seq <= cursor_;
    const bool verdicts_are_awaited = flying_ || in_flight_.empty();
    return ready_was_read && verdicts_are_awaited && mark() <= cursor_ && holds_.size() <= max_holds + batch_size_;
}

bool lane_plan::ready_keeps_order() const {
    return std::ranges::all_of(ready_.rows, [this](const store::due_row& row) {
        const auto* const hold = holds_.find(row.event.stream);
        if (ready_.from_cursor()) return hold == nullptr || hold->from > row.seq;
        return hold != nullptr && hold->travelling && hold->from <= row.seq;
    });
}

store::sequence lane_plan::mark() const {
    return low_water_mark(cursor_, {in_flight_.lowest(), ready_.lowest(), holds_.lowest()});
}

lane_state lane_plan::evaluate(base::moment now) const {
    if (!owner_ || !lease_.is_trusted(now.steady)) return lane_state::lost;
    if (is_leaving()) return lane_state::draining;
    if (operator_pause_ || is_paused()) return lane_state::paused;
    if (!holds_.empty() || crowded_ || (backfill_ && backfill_->is_paused)) return lane_state::blocked;
    if (backfill_ || flying_ || !ready_.empty() || !unsettled_.empty() || backlog_) return lane_state::flowing;
    return lane_state::idle;
}

std::string lane_plan::detail() const {
    switch (state_.current()) {
        case lane_state::lost:
            return lost_reason_;
        case lane_state::paused:
            return operator_pause_ ? *operator_pause_ : broker_outage_.reason();
        case lane_state::blocked: {
            if (crowded_) return "looks no further: too many numbers of the log wait for transactions that do not end";
            if (holds_.empty() && backfill_) return backfill_text(*backfill_) + " and paused: newer ones wait";
            const auto streams = holds_.size();
            return std::to_string(streams) + (streams == 1 ? " stream" : " streams") + " on hold" +
                   (refusal_.empty() ? "" : ": " + refusal_);
        }
        case lane_state::draining:
            return heir_.empty() ? std::string{} : "to be " + handed_over_to(heir_);
        case lane_state::flowing:
            return backfill_ ? backfill_text(*backfill_) : std::string{};
        default:
            return {};
    }
}

store::lease_report lane_plan::farewell(base::moment now) const {
    return {to_string(lane_state::lost),
            heir_.empty() ? "released" : handed_over_to(heir_),
            published_,
            refused_,
            rate_.per_second(now.steady),
            now.wall,
            overtaken_};
}

store::lease_report lane_plan::report(base::moment now) const {
    return {to_string(state_.current()),  detail(),       published_, refused_,
            rate_.per_second(now.steady), state_.since(), overtaken_};
}

}  // namespace sluice::outbox
