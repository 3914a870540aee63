#include "consume/handler_pool.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "observe/log.hpp"

namespace sluice::consume {

handler_pool::handler_pool(std::size_t threads, base::wake_signal& done) : done_{done} {
    threads_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this, log = observe::log_route_of_this_thread()](const std::stop_token& stop) {
            const observe::log_scope scope{log};
            serve(stop);
        });
    }
}

handler_pool::~handler_pool() {
    for (std::jthread& each : threads_) each.request_stop();  // all, before the first is waited for
}

void handler_pool::give(std::function<std::vector<finished>()> work) {
    {
        const std::lock_guard lock{mutex_};
        tasks_.push_back(std::move(work));
    }
    given_.notify_one();
}

std::vector<handler_pool::finished> handler_pool::take_finished() {
    const std::lock_guard lock{mutex_};
    return std::exchange(finished_, {});
}

void handler_pool::serve(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (given_.wait(lock, stop, [this] { return !tasks_.empty(); })) {
        const auto next = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        auto made = next();
        lock.lock();
        std::ranges::move(made, std::back_inserter(finished_));
        done_.notify();
    }
}

}  // namespace sluice::consume
