#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker.hpp"

namespace sluice::testing {

/// A broker of which only publishing, reading and acknowledging is left.
class keeperless_broker final : public broker::broker {
public:
    explicit keeperless_broker(std::shared_ptr<sluice::broker::broker> behind) : behind_{std::move(behind)} {}

    [[nodiscard]] std::string describe() const override { return "keeperless " + behind_->describe(); }
    [[nodiscard]] sluice::broker::capabilities can() const override {
        auto all = behind_->can();
        all.keeps_failed = false;
        return all;
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::publisher> open_publisher() override {
        return behind_->open_publisher();
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::reader> open_reader(
        const std::vector<std::string>& streams, const sluice::broker::membership& member) override {
        return std::make_unique<bare_reader>(behind_->open_reader(streams, member));
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::operations> open_operations() override {
        return behind_->open_operations();
    }

private:
    class bare_reader final : public sluice::broker::reader {
    public:
        explicit bare_reader(std::unique_ptr<sluice::broker::reader> behind) : behind_{std::move(behind)} {}

        [[nodiscard]] std::vector<sluice::broker::delivery> read(std::size_t stream, std::size_t limit,
                                                                 date_time now) override {
            return behind_->read(stream, limit, now);
        }
        [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override {
            return behind_->wait(signal, timeout);
        }
        void heartbeat(date_time now) override { behind_->heartbeat(now); }
        void release() override { behind_->release(); }
        void ack(std::size_t stream, std::span<const std::string> entries) override { behind_->ack(stream, entries); }
        [[nodiscard]] sluice::broker::keeper* own_keeper() noexcept override { return nullptr; }

    private:
        std::unique_ptr<sluice::broker::reader> behind_;
    };

    std::shared_ptr<sluice::broker::broker> behind_;
};

}  // namespace sluice::testing
