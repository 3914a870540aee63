#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "broker/reader.hpp"
#include "broker/redis/bell.hpp"
#include "broker/redis/redis_consumer.hpp"

namespace sluice::broker::redis {

/// One consumer for each stream, each under the lease of its own stream, and one bell for all of them. Failed messages
/// are kept beside their stream (docs/wire-format.md).
class redis_reader final : public reader, public keeper {
public:
    redis_reader(const std::shared_ptr<server>& at, const std::vector<std::string>& streams, const membership& member);

    [[nodiscard]] std::vector<delivery> read(std::size_t stream, std::size_t limit, date_time now) override {
        return consumers_[stream].read(limit, now);
    }
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override;
    void heartbeat(date_time now) override;
    void release() override;
    void ack(std::size_t stream, std::span<const std::string> entries) override { consumers_[stream].ack(entries); }
    [[nodiscard]] keeper* own_keeper() noexcept override { return this; }

    void defer(std::size_t stream, const delivery& message, int attempts, date_time not_before) override {
        consumers_[stream].defer(message.entry, attempts, not_before);
    }
    void dead_letter(std::size_t stream, const delivery& message, const death& why) override {
        consumers_[stream].dead_letter(message, why);
    }

private:
    duration claim_;
    std::deque<redis_consumer> consumers_;  ///< in the order of the streams
    bell bell_;
};

}  // namespace sluice::broker::redis
