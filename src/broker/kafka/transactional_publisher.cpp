#include "broker/kafka/transactional_publisher.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "broker/kafka/judgement.hpp"
#include "broker/kafka/record.hpp"
#include "broker/kafka/topic_name.hpp"

namespace sluice::broker::kafka {
namespace {

send_limits transaction_limits(const kafka_options& options) {
    constexpr std::size_t most_messages = 1000;
    constexpr std::size_t most_bytes = std::size_t{16} << 20U;
    return {.messages = most_messages,
            .bytes = most_bytes,
            .largest_message = options.max_message_bytes,
            .one_per_key = false};
}

/// What the library drops after a failure is not the reason of it.
bool is_purge(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

}  // namespace

transactional_publisher::transactional_publisher(std::shared_ptr<const cluster> at)
    : at_{std::move(at)}, plain_{at_}, window_{transaction_limits(at_->options)}, topics_{at_->options} {}

std::vector<verdict> transactional_publisher::publish(std::span<const outgoing> batch, const producer& from,
                                                      duration timeout) {
    if (from.name.empty()) return plain_.publish(batch, from, timeout);
    const net::deadline until{timeout, &haste_};
    window_.begin(batch);
    rival_.reset();
    std::string trouble = "no confirmation in time";
    try {
        do {
            open(from, timeout, until);
            topics_.learn_for(*client_, batch, until);
            send_all(until);
        } while (client_ == nullptr && !window_.is_settled() && !until.passed());
    } catch (const std::exception& e) {
        trouble = e.what();
    }
    if (!rival_ && client_ != nullptr && !client_->trouble().empty()) trouble = client_->trouble();
    return window_.finish({trouble});
}

void transactional_publisher::open(const producer& from, duration timeout, const net::deadline& until) {
    const bool is_fenced = fenced_name_ == from.name && from.epoch <= fenced_epoch_;
    if (is_fenced) {
        // Another client of this id would fence the new owner. Who that is, Kafka does not tell.
        rival_ = fence_state{.epoch = fenced_epoch_ + 1};
        throw outage{fenced_text(from, *rival_)};
    }
    if (client_ != nullptr && (owner_.name != from.name || owner_.epoch != from.epoch)) {
        window_.lost_connection({"the lane has another owner"});
        drop_client();
    }
    if (client_ != nullptr && client_->is_outdated()) {
        window_.lost_connection({client_->trouble()});
        drop_client();
    }
    owner_ = from;
    if (client_ == nullptr) {
        client_ = std::make_unique<client>(client::kind::producer,
                                           transactional_properties(at_->options, at_->location, timeout, from.name),
                                           [this](rd_kafka_conf_t* conf) { reports_.collect_from(conf); });
    }
    if (has_id_) return;
    for (const std::string& former : from.former) {
        const client other{client::kind::producer,
                           transactional_properties(at_->options, at_->location, timeout, former)};
        const auto result = take_id(other, until);
        if (result.outcome != step_outcome::done) throw outage{result.words};
    }
    const auto result = take_id(*client_, until);
    note_all(reports_.read(*client_));
    require(result);
    if (result.outcome != step_outcome::done) throw outage{result.words};
    has_id_ = true;
}

void transactional_publisher::send_all(const net::deadline& until) {
    while (finish_transaction(until)) {
        if (client_ == nullptr || window_.is_settled() || until.passed()) return;
        if (!fill_transaction()) return;
    }
}

/// What may be sent now, all of it in one transaction. False when there is nothing.
bool transactional_publisher::fill_transaction() {
    while (const auto each = window_.next()) {
        if (settle_locally(*each)) continue;
        if (stage_ == stage::none) {
            require(begin_transaction(*client_));
            stage_ = stage::open;
        }
        const std::string name = topic_of(at_->options.prefix, each->message->stream);
        const auto error = produce(client_->get(), topics_.find(name)->topic.get(), *each->message, each->number);
        if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            window_.take_back(each->number);
            break;
        }
        waits_for_report_[each->number] = name;
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            waits_for_report_.erase(each->number);
            if (judge(error) == judgement::topic_gone) topics_.forget(name);
            if (!failure_) failure_ = error;
            break;
        }
    }
    return stage_ != stage::none;
}

bool transactional_publisher::settle_locally(const send_window::transmission& each) {
    const topics::place* const to = topics_.find(topic_of(at_->options.prefix, each.message->stream));
    if (to == nullptr) {
        window_.settle(each.number, unreachable{"its topic has to be looked up again"});
        return true;
    }
    auto no = topics::objection_to(*each.message, *to);
    if (!no) return false;
    window_.settle(each.number, *std::move(no));
    return true;
}

bool transactional_publisher::finish_transaction(const net::deadline& until) {
    if (stage_ == stage::open) {
        wait_for_reports(until);
        if (!waits_for_report_.empty()) return false;
        stage_ = failure_ ? stage::to_abort : stage::to_commit;
    }
    if (stage_ == stage::to_commit) {
        const auto result = commit_transaction(*client_, until);
        require(result);
        if (result.outcome == step_outcome::unfinished) return false;
        if (result.outcome == step_outcome::done) {
            committed();
        } else {
            stage_ = stage::to_abort;
        }
    }
    if (stage_ == stage::to_abort) {
        const auto result = abort_transaction(*client_, until);
        note_all(reports_.read(*client_));
        require(result);
        if (result.outcome != step_outcome::done) return false;
        aborted();
    }
    return true;
}

void transactional_publisher::wait_for_reports(const net::deadline& until) {
    while (!waits_for_report_.empty() && !until.passed()) {
        note_all(reports_.flush(*client_, delivery_reports::wait_for::all, until));
    }
}

void transactional_publisher::note_all(const std::vector<report>& reports) {
    for (const report& each : reports) note(each);
}

void transactional_publisher::note(const report& of) {
    const auto found = waits_for_report_.find(of.ticket);
    if (found == waits_for_report_.end()) return;
    rd_kafka_resp_err_t code = of.code;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        auto answer = confirmation(of.partition, of.offset);
        if (auto* const kept = std::get_if<delivered>(&answer)) {
            client_->forget_trouble();
            receipts_[found->first] = std::move(kept->receipt);
        } else {
            code = RD_KAFKA_RESP_ERR__INCONSISTENT;
        }
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (judge(code) == judgement::topic_gone) topics_.forget(found->second);
        if (!failure_ || is_purge(*failure_)) failure_ = code;
    }
    waits_for_report_.erase(found);
}

void transactional_publisher::committed() {
    for (auto& [number, receipt] : std::exchange(receipts_, {})) {
        window_.settle(number, delivered{std::move(receipt)});
    }
    stage_ = stage::none;
}

/// Nothing of it is visible to anybody: it may go again, by another client. This one would go on with the sequence
/// numbers of what was refused, which the broker does not take (seen with 2.0.2).
void transactional_publisher::aborted() {
    const auto code = std::exchange(failure_, std::nullopt);
    drop_client();
    const bool is_refused =
        code && (judge(*code) == judgement::batch_refused || judge(*code) == judgement::topic_closed);
    if (is_refused) return window_.failed_together(refusal_alone(*code, words_of(*code)));
    window_.lost_connection({code ? words_of(*code) : "the transaction was aborted"});
}

void transactional_publisher::require(const step_result& result) {
    if (result.outcome != step_outcome::fenced && result.outcome != step_outcome::broken) return;
    std::string why = result.words;
    if (result.outcome == step_outcome::fenced) {
        fenced_name_ = owner_.name;
        fenced_epoch_ = owner_.epoch;
        rival_ = fence_state{.epoch = fenced_epoch_ + 1};
        why = fenced_text(owner_, *rival_);
    }
    window_.lost_connection({why});
    drop_client();
    throw outage{why};
}

void transactional_publisher::drop_client() {
    stage_ = stage::none;
    waits_for_report_.clear();
    receipts_.clear();
    failure_.reset();
    has_id_ = false;
    topics_.forget_all();
    client_.reset();
}

}  // namespace sluice::broker::kafka
