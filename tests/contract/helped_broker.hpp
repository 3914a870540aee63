#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "consume/broker_operations.hpp"
#include "consume/keeping_reader.hpp"
#include "contract/broker_contract.hpp"
#include "store/memory/memory_database.hpp"

namespace sluice::broker::contract {

/// A broker that keeps nothing of what failed, with a database that does.
class helped_broker final : public broker {
public:
    explicit helped_broker(std::shared_ptr<broker> helped) : inner_{std::move(helped)} {}

    [[nodiscard]] std::string describe() const override { return inner_->describe(); }
    [[nodiscard]] capabilities can() const override { return inner_->can(); }
    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override { return inner_->open_publisher(); }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return std::make_unique<consume::keeping_reader>(
            inner_->open_reader(streams, member), database_->open_kept_messages(),
            consume::keeping{.broker = "b",
                             .streams = streams,
                             .member = member,
                             .key_of = [](const delivery& of) { return of.key; },
                             .time = time_,
                             .most_behind = 10'000});
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return consume::make_keeping_operations("b", inner_->open_operations(), database_->open_kept_messages());
    }

private:
    /// Each look is late enough for the next one.
    class hasty_clock final : public clock {
    public:
        [[nodiscard]] date_time now() const override { return noon; }
        [[nodiscard]] instant monotonic_now() const override { return instant{} + ++looks_ * second; }

    private:
        mutable std::atomic<int> looks_ = 0;
    };

    std::shared_ptr<broker> inner_;
    std::shared_ptr<store::database> database_ = store::make_memory_database("kept");
    hasty_clock time_;
};

}  // namespace sluice::broker::contract
