#include "broker/send_window.hpp"

#include <cassert>
#include <utility>

#include "base/fingerprint.hpp"

namespace sluice::broker {

send_window::identity send_window::identity_of(const outgoing& message) {
    return {.stream = std::string{message.stream},
            .message_id = std::string{message.message_id},
            .content = base::fingerprint(message.body)};
}

void send_window::begin(std::span<const outgoing> batch) {
    assert(batch_.empty() && lines_.empty());
    batch_ = batch;
    gate_.emplace(limits_.largest_message);
    verdicts_.assign(batch.size(), std::nullopt);
    undecided_ = batch.size();
    if (limits_.one_per_key) {
        behind_.assign(batch.size(), std::nullopt);
        lines_.reserve(batch.size());
        if (!flying_.empty()) take_lines_of_earlier_batches();
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (!is_sent_before(i)) line_up(i);
    }
}

void send_window::take_lines_of_earlier_batches() {
    for (const outgoing& each : batch_) {
        if (!each.key.empty()) lines_.try_emplace(each.key);
    }
    for (const auto& [number, each] : flying_) {
        if (const auto found = lines_.find(each.key); found != lines_.end()) found->second.is_taken = true;
    }
}

bool send_window::is_sent_before(std::size_t index) {
    if (given_up_.empty() && answered_.empty()) return false;
    const identity who = identity_of(batch_[index]);
    if (auto answer = answered_.extract(who)) {
        decide(index, std::move(answer.mapped()));
        return true;
    }
    const auto waiting = given_up_.extract(who);
    if (!waiting) return false;
    flying_.at(waiting.mapped()).index = index;
    return true;
}

void send_window::line_up(std::size_t index) {
    const std::string_view key = batch_[index].key;
    if (!limits_.one_per_key || key.empty()) return ready_.push(index);
    line& of = lines_[key];
    if (!std::exchange(of.is_taken, true)) return ready_.push(index);
    (of.first ? behind_[of.last] : of.first) = index;
    of.last = index;
}

void send_window::free_line(std::string_view key) {
    const auto found = lines_.find(key);
    if (found == lines_.end()) return;
    line& of = found->second;
    of.is_taken = of.first.has_value();
    if (!of.is_taken) return;
    ready_.push(*of.first);
    of.first = behind_[*of.first];
}

std::optional<send_window::transmission> send_window::next() {
    while (!ready_.empty()) {
        if (to_go_alone_ > 0 && !flying_.empty()) return std::nullopt;
        const std::size_t index = ready_.top();
        const outgoing& message = batch_[index];
        const bool is_room = flying_.empty() || (flying_.size() < limits_.messages &&
                                                 flying_bytes_ + message.body.size() <= limits_.bytes);
        if (!is_room) return std::nullopt;
        ready_.pop();
        if (auto no = gate_->check(message)) {
            decide(index, *std::move(no));
            free_line(message.key);
            continue;
        }
        flying_.emplace_hint(flying_.end(), ++last_, flight{.bytes = message.body.size(), .index = index});
        flying_bytes_ += message.body.size();
        return transmission{.number = last_, .message = &message};
    }
    return std::nullopt;
}

send_window::flight send_window::land(std::map<ticket, flight>::iterator which) {
    flight landed = std::move(which->second);
    flying_.erase(which);
    flying_bytes_ -= landed.bytes;
    return landed;
}

void send_window::take_back(ticket number) {
    const auto found = flying_.find(number);
    if (found == flying_.end()) return;
    const flight back = land(found);
    if (back.index) {
        ready_.push(*back.index);
    } else {
        free_line(key_of(back));
    }
}

void send_window::settle(ticket number, verdict answer) {
    const auto found = flying_.find(number);
    if (found == flying_.end()) return;
    flight landed = land(found);
    if (to_go_alone_ > 0) --to_go_alone_;
    if (landed.index) {
        decide(*landed.index, std::move(answer));
    } else {
        given_up_.erase(*landed.who);
        if (!std::holds_alternative<unreachable>(answer)) remember(*std::move(landed.who), std::move(answer));
    }
    free_line(key_of(landed));
}

void send_window::failed_together(const verdict& answer) {
    if (flying_.size() == 1) return settle(flying_.begin()->first, answer);
    to_go_alone_ = flying_.size();
    while (!flying_.empty()) {
        const flight back = land(flying_.begin());
        if (back.index) {
            ready_.push(*back.index);
        } else {
            given_up_.erase(*back.who);
            free_line(key_of(back));
        }
    }
}

void send_window::lost_connection(const unreachable& why) {
    while (!flying_.empty()) settle(flying_.begin()->first, why);
}

void send_window::decide(std::size_t index, verdict v) {
    if (!std::holds_alternative<delivered>(v)) gate_->hold_back(batch_[index]);
    verdicts_[index] = std::move(v);
    --undecided_;
}

void send_window::remember(identity who, verdict answer) {
    // As many as were on their way at one time: the lane asks for what is not settled before it goes on.
    while (answered_order_.size() >= limits_.messages) {
        answered_.erase(answered_order_.front());
        answered_order_.pop_front();
    }
    answered_order_.push_back(who);
    answered_.insert_or_assign(std::move(who), std::move(answer));
}

std::vector<verdict> send_window::finish(const unreachable& why) {
    for (auto& [number, each] : flying_) {
        if (!each.index) continue;
        each.key = batch_[*each.index].key;
        each.who = identity_of(batch_[*each.index]);
        given_up_.insert_or_assign(*each.who, number);
        each.index.reset();
    }
    std::vector<verdict> result;
    result.reserve(verdicts_.size());
    for (auto& each : verdicts_) result.push_back(each ? *std::move(each) : verdict{why});
    batch_ = {};
    gate_.reset();
    verdicts_.clear();
    undecided_ = 0;
    ready_ = {};
    lines_.clear();
    behind_.clear();
    return result;
}

}  // namespace sluice::broker
