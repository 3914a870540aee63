#include "broker/webhook/inbox.hpp"

#include <exception>
#include <iterator>
#include <utility>

#include <pthread.h>

#include "base/one_line.hpp"

namespace sluice::broker::webhook {
namespace {

constexpr std::size_t most_in_a_flush = 256;
constexpr duration inbox_patience = std::chrono::seconds{10};

}  // namespace

inbox::inbox(std::unique_ptr<publisher> into) : into_{std::move(into)}, thread_{[this] { run(); }} {}

inbox::~inbox() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    into_->hurry(duration{0});
    thread_.join();
}

bool inbox::put(received_message message, std::function<void(const verdict&)> then) {
    {
        const std::lock_guard lock{mutex_};
        if (waiting_.size() >= most_waiting) return false;
        waiting_.push_back({.message = std::move(message), .then = std::move(then)});
    }
    changed_.notify_one();
    return true;
}

void inbox::run() {
    pthread_setname_np(pthread_self(), "webhook inbox");
    for (;;) {
        std::vector<waiting> batch;
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (stopping_) return;
            while (!waiting_.empty() && batch.size() < most_in_a_flush) {
                batch.push_back(std::move(waiting_.front()));
                waiting_.pop_front();
            }
        }
        store(batch);
    }
}

void inbox::store(const std::vector<waiting>& batch) {
    std::vector<outgoing> messages;
    messages.reserve(batch.size());
    for (const auto& [message, then] : batch) {
        messages.push_back({.stream = message.stream,
                            .message_id = message.id,
                            .key = message.key,
                            .body = message.body,
                            .head = message.head,
                            .content_type = message.content_type});
    }
    std::vector<verdict> verdicts;
    try {
        verdicts = into_->publish(messages, {}, inbox_patience);
    } catch (const std::exception& failure) {
        verdicts.clear();
        verdicts.resize(batch.size(), unreachable{base::one_line(failure.what())});
    }
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].then(verdicts.at(i));
}

}  // namespace sluice::broker::webhook
