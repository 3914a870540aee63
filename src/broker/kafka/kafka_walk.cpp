#include "broker/kafka/kafka_walk.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "broker/kafka/entry_name.hpp"
#include "broker/kafka/record.hpp"
#include "broker/kafka/topic_name.hpp"
#include "envelope/format.hpp"

namespace sluice::broker::kafka {
namespace {

/// Empty for what is no message.
std::string walked_id(const rd_kafka_message_t& record) {
    delivery read;
    read_record(record, read);
    try {
        return envelope::external_format()->read(read.body, read.head).id();
    } catch (const decode_error&) {
        return {};
    }
}

/// Retention has gone past the place where the reading was.
bool is_lost_place(rd_kafka_resp_err_t error) {
    return error == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || error == RD_KAFKA_RESP_ERR__NO_OFFSET ||
           error == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
}

}  // namespace

template <class Action>
auto kafka_walk::named(Action action) {
    try {
        return action();
    } catch (const outage& trouble) {
        if (client_.trouble().empty()) throw;
        throw outage{fmt::format("{} ({})", trouble.what(), client_.trouble())};
    }
}

kafka_walk::kafka_walk(std::shared_ptr<const cluster> at, const net::haste& haste, std::string_view stream,
                       std::optional<date_time> from)
    : at_{std::move(at)},
      haste_{haste},
      from_{from},
      client_{client::kind::consumer, walk_properties(at_->options, at_->location)} {
    const std::string name = topic_of(at_->options.prefix, stream);
    if (!is_topic_name(name)) return;  // nothing can ever have been sent there
    topic_.reset(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr));
    if (topic_ == nullptr) throw outage{words_of(rd_kafka_last_error())};
    queue_.reset(rd_kafka_queue_new(client_.get()));
    partitions_ = named([&] { return count_partitions(); });
}

kafka_walk::~kafka_walk() { close_partition(); }

std::int32_t kafka_walk::count_partitions() {
    const auto until = answer_deadline();
    const rd_kafka_metadata_t* answer = nullptr;
    const auto error =
        rd_kafka_metadata(client_.get(), 0, topic_.get(), &answer, std::max(until.poll_milliseconds(), 1));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw outage{words_of(error)};
    const metadata_handle owner{answer};
    if (answer->topic_cnt == 0) return 0;
    const auto& found = answer->topics[0];  // NOLINT(cppcoreguidelines-pro-bounds-pointer-arithmetic)
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return 0;
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) throw outage{words_of(found.err)};
    return found.partition_cnt;
}

bool kafka_walk::open_partition(std::optional<date_time> from) {
    const topic_partition place{rd_kafka_topic_name(topic_.get()), partition_};
    const auto [low, end] = ask_watermarks(client_, place, answer_deadline());
    const auto first = from ? std::max(first_since(client_, place, *from, answer_deadline()), low) : low;
    end_ = end;
    if (first >= end_) return false;
    if (rd_kafka_consume_start_queue(topic_.get(), partition_, first, queue_.get()) != 0) {
        throw outage{words_of(rd_kafka_last_error())};
    }
    is_open_ = true;
    return true;
}

void kafka_walk::close_partition() noexcept {
    if (std::exchange(is_open_, false)) rd_kafka_consume_stop(topic_.get(), partition_);
}

message_handle kafka_walk::wait_for_message(const net::deadline& until) {
    for (;;) {
        const auto nap = std::min(until.poll_milliseconds(), static_cast<int>(longest_nap.count()));
        if (message_handle message{rd_kafka_consume_queue(queue_.get(), nap)}) return message;
        if (until.passed()) {
            throw outage{fmt::format("partition {} of {} is not handed over in time", partition_,
                                     rd_kafka_topic_name(topic_.get()))};
        }
    }
}

message_handle kafka_walk::fetch() {
    for (const auto until = answer_deadline();;) {
        message_handle message = wait_for_message(until);
        // The queue may hold the rest of a partition that is closed.
        if (message->rkt != nullptr && message->partition != partition_) continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return message->offset < end_ ? std::move(message) : nullptr;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return nullptr;
        if (message->rkt == nullptr) {
            client_.note_error(message->err, rd_kafka_message_errstr(message.get()));
            continue;
        }
        if (!is_lost_place(message->err)) throw outage{words_of(message->err, rd_kafka_message_errstr(message.get()))};
        close_partition();
        if (!open_partition(std::nullopt)) return nullptr;
    }
}

std::vector<walked_entry> kafka_walk::next(std::size_t limit) {
    return named([&] {
        std::vector<walked_entry> page;
        while (page.size() < limit && partition_ < partitions_) {
            if (is_open_ || open_partition(from_)) {
                if (const auto message = fetch()) {
                    page.push_back({.part = static_cast<std::size_t>(partition_), .message_id = walked_id(*message)});
                    if (message->offset + 1 < end_) continue;
                }
            }
            close_partition();
            ++partition_;
        }
        return page;
    });
}

bool kafka_walk::has_expired(std::string_view receipt, date_time /*confirmed_at*/) {
    const auto entry = entry_name::parse(receipt);
    if (!entry || entry->partition >= partitions_) return false;
    const auto [known, is_new] = first_kept_.try_emplace(entry->partition, 0);
    if (is_new) {
        const topic_partition place{rd_kafka_topic_name(topic_.get()), entry->partition};
        known->second = named([&] { return ask_watermarks(client_, place, answer_deadline()).low; });
    }
    return entry->offset < known->second;
}

}  // namespace sluice::broker::kafka
