#include "broker/nats/mailbox.hpp"

#include <utility>

namespace sluice::broker::nats {

void mailbox::put(incoming message) {
    bool is_enough = false;
    {
        const std::lock_guard lock{mutex_};
        waiting_.push_back(std::move(message));
        is_enough = waiting_.size() == wake_at_;
    }
    if (is_enough) signal_.notify();
}

void mailbox::wake_at(std::size_t messages) {
    const std::lock_guard lock{mutex_};
    if (closed_) return;
    wake_at_ = messages;
    signal_.drain();
    if (waiting_.size() >= messages) signal_.notify();
}

void mailbox::close(std::string reason) {
    {
        const std::lock_guard lock{mutex_};
        if (!closed_) closed_ = std::move(reason);
    }
    signal_.notify();
}

std::deque<incoming> mailbox::take() {
    const std::lock_guard lock{mutex_};
    // A closed one stays readable: whoever waits for it must see that.
    if (!closed_) signal_.drain();
    wake_at_ = 1;
    return std::exchange(waiting_, {});
}

std::optional<std::string> mailbox::closed() const {
    const std::lock_guard lock{mutex_};
    return closed_;
}

}  // namespace sluice::broker::nats
