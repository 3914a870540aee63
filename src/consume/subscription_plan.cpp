#include "consume/subscription_plan.hpp"

#include <algorithm>
#include <type_traits>

namespace sluice::consume {

namespace {

/// The backfill lane is read in small portions, so that a primary message never waits behind a whole batch of it.
constexpr std::size_t backfill_share = 10;

}  // namespace

action subscription_plan::next(date_time now) {
    if (deferral_) return *std::exchange(deferral_, std::nullopt);
    if (!burials_.empty()) {
        set_aside first = std::move(burials_.front());
        burials_.pop_front();
        return first;
    }
    if (const auto due = acknowledgement_due(now)) return *due;
    if (auto care = tend_claims(now)) return *std::move(care);

    wake_due(now);
    if (!paused(now) && !ready_.empty()) {
        current_ = ready_.begin()->second;
        ready_.erase(ready_.begin());
        return handle_parcel{&items_.at(*current_).what};
    }
    // Before anything that may take long, the broker learns what is done.
    if (const auto left = last_acknowledgement()) return *left;
    if (!paused(now)) {
        if (const auto read = reading()) return *read;
    }
    return resting(now);
}

void subscription_plan::received(std::size_t source, std::vector<arrival> arrivals, date_time now) {
    if (arrivals.empty()) {
        exhausted_.insert(source);
        return;
    }
    exhausted_.clear();
    if (items_.empty()) last_beat_ = now;
    for (arrival& each : arrivals) {
        std::visit(
            [&](auto& is) {
                using kind = std::remove_cvref_t<decltype(is)>;
                if constexpr (std::is_same_v<kind, wanted>) {
                    accept(std::move(each.what), is.key);
                } else if constexpr (std::is_same_v<kind, unwanted>) {
                    count_receipt(source, {std::move(each.what.delivery.entry), std::move(each.what.content)}, now);
                } else {
                    const int attempts = each.what.delivery.attempts;
                    burials_.push_back(
                        {std::move(each.what), {std::move(is.reason), std::move(is.code), attempts, now}});
                }
            },
            each.is);
    }
}

bool subscription_plan::handled(bool duplicate, date_time now) {
    parcel done = take_current();
    count_receipt(done.source, {std::move(done.delivery.entry), std::move(done.content), duplicate}, now);
    return end_outage();
}

bool subscription_plan::failed(std::string reason, std::string code, date_time now) {
    item& failing = items_.at(*current_);
    const int attempts = failing.what.delivery.attempts + 1;
    if (attempts >= settings_.max_attempts) {
        burials_.push_back({take_current(), {std::move(reason), std::move(code), attempts, now}});
    } else {
        failing.what.delivery.attempts = attempts;
        failing.due = now + settings_.retry.delay(attempts);
        deferral_ = put_off{failing.what, attempts, failing.due, std::move(reason)};
        await_turn(*std::exchange(current_, std::nullopt));
    }
    return end_outage();
}

bool subscription_plan::interrupted(date_time now) {
    await_turn(*std::exchange(current_, std::nullopt));
    ++outages_;
    resume_at_ = now + settings_.outage.delay(outages_);
    return outages_ == 1;
}

void subscription_plan::acknowledged(std::size_t source) {
    ack_count_ -= acks_[source].size();
    acks_[source].clear();
}

void subscription_plan::lost(date_time now) {
    items_.clear();
    keys_.clear();
    ready_.clear();
    waiting_.clear();
    burials_.clear();
    deferral_.reset();
    current_.reset();
    exhausted_.clear();
    last_beat_ = now;
}

std::optional<acknowledge> subscription_plan::last_acknowledgement() const {
    for (std::size_t source = 0; source < acks_.size(); ++source) {
        if (!acks_[source].empty()) return acknowledge{source, &acks_[source]};
    }
    return std::nullopt;
}

void subscription_plan::accept(parcel what, const std::string& key) {
    const number id = next_number_++;
    // A message without a key has its entry as a key of its own; no stream is named with a NUL.
    lane_key full{what.source, key.empty() ? '\0' + what.delivery.entry : key};
    const date_time due = what.delivery.not_before.value_or(date_time{});
    std::deque<number>& queue = keys_[full];
    queue.push_back(id);
    const bool head = queue.size() == 1;
    items_.emplace(id, item{std::move(what), std::move(full), due});
    if (head) await_turn(id);
}

void subscription_plan::await_turn(number head) { waiting_.emplace(items_.at(head).due, head); }

parcel subscription_plan::take_current() {
    const auto found = items_.find(*std::exchange(current_, std::nullopt));
    parcel taken = std::move(found->second.what);
    const auto queue = keys_.find(found->second.key);
    items_.erase(found);

    queue->second.pop_front();
    if (queue->second.empty()) {
        keys_.erase(queue);
    } else {
        await_turn(queue->second.front());
    }
    return taken;
}

void subscription_plan::wake_due(date_time now) {
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        const number id = waiting_.begin()->second;
        waiting_.erase(waiting_.begin());
        ready_.emplace(items_.at(id).what.source, id);
    }
}

void subscription_plan::count_receipt(std::size_t source, receipt what, date_time now) {
    if (ack_count_ == 0) oldest_ack_ = now;
    acks_[source].push_back(std::move(what));
    ++ack_count_;
}

bool subscription_plan::end_outage() noexcept { return std::exchange(outages_, 0) > 0; }

std::optional<acknowledge> subscription_plan::acknowledgement_due(date_time now) const {
    const bool due = ack_count_ >= settings_.ack_limit || (ack_count_ > 0 && now - oldest_ack_ >= settings_.ack_delay);
    return due ? last_acknowledgement() : std::nullopt;
}

std::optional<action> subscription_plan::tend_claims(date_time now) {
    if (items_.empty()) return std::nullopt;
    const duration silent = now - last_beat_;
    if (silent >= settings_.claim) {
        if (const auto first = last_acknowledgement()) return *first;
        return reopen{};
    }
    if (silent < settings_.claim / 3) return std::nullopt;
    last_beat_ = now;
    return keep_claims{};
}

std::optional<read_more> subscription_plan::reading() const {
    if (items_.size() >= settings_.max_held) return std::nullopt;
    const std::size_t room = settings_.max_held - items_.size();
    for (std::size_t source = 0; source < settings_.sources; ++source) {
        if (exhausted_.contains(source)) continue;
        const std::size_t share = source == 0 ? 1 : backfill_share;
        return read_more{source, std::min(room, std::max<std::size_t>(settings_.read_limit / share, 1))};
    }
    return std::nullopt;
}

rest subscription_plan::resting(date_time now) {
    const bool listen = !paused(now) && items_.size() < settings_.max_held;
    date_time until = now + settings_.poll;
    if (paused(now)) {
        until = std::min(until, resume_at_);
    } else if (!waiting_.empty()) {
        until = std::min(until, waiting_.begin()->first);
    }
    if (!items_.empty()) until = std::min(until, last_beat_ + settings_.claim / 3);
    exhausted_.clear();  // whatever ends the rest, look again
    return {until, listen};
}

}  // namespace sluice::consume
