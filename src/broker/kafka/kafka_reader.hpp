#pragma once

#include "broker/kafka/group_member.hpp"
#include "broker/reader.hpp"

namespace sluice::broker::kafka {

/// Reads as make_kafka_broker describes.
class kafka_reader final : public reader {
public:
    kafka_reader(std::shared_ptr<const cluster> at, const std::vector<std::string>& streams, const membership& who)
        : member_{std::move(at), streams, who} {}

    [[nodiscard]] std::vector<delivery> read(std::size_t stream, std::size_t limit, date_time /*now*/) override {
        return member_.take(stream, limit);
    }
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override {
        return member_.wait(signal, timeout);
    }
    void heartbeat(date_time /*now*/) override { member_.sign_of_life(); }
    void release() override { member_.leave(); }
    void ack(std::size_t stream, std::span<const std::string> entries) override;
    [[nodiscard]] keeper* own_keeper() noexcept override { return nullptr; }

private:
    group_member member_;
};

}  // namespace sluice::broker::kafka
