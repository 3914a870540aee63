#include "broker/kafka/share.hpp"

#include <utility>

namespace sluice::broker::kafka {

message_handle share::next() {
    if (!early.empty()) {
        message_handle first = std::move(early.front());
        early.pop_front();
        return first;
    }
    return message_handle{rd_kafka_consume_queue(queue.get(), 0)};
}

bool share::has_more() const { return !early.empty() || rd_kafka_queue_length(queue.get()) > 0; }

void share::open_queue(rd_kafka_t* instance, const topic_partition& at, int wake) {
    constexpr std::uint64_t one = 1;
    queue.reset(rd_kafka_queue_get_partition(instance, at.topic.c_str(), at.partition));
    rd_kafka_queue_forward(queue.get(), nullptr);
    rd_kafka_queue_io_event_enable(queue.get(), wake, &one, sizeof one);
}

void share::close_queue() const { rd_kafka_queue_io_event_enable(queue.get(), -1, nullptr, 0); }

}  // namespace sluice::broker::kafka
