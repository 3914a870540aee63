#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/broker.hpp"

namespace sluice::testing_kit {

/// Remembers what a broker took, each message once, and lets it be away.
///
/// Thread safety: none of its own; the runtime has one thread.
class observed_broker final : public broker::broker {
public:
    explicit observed_broker(std::string name);

    void be_away(bool away) noexcept { *away_ = away; }
    /// The bodies that were taken, in order.
    [[nodiscard]] const std::vector<std::string>& taken() const noexcept { return *taken_; }
    /// A message that none of the domain's lanes sent.
    void put(const sluice::broker::outgoing& message);

    [[nodiscard]] std::string describe() const override { return inner_->describe(); }
    [[nodiscard]] sluice::broker::capabilities can() const override { return inner_->can(); }
    [[nodiscard]] std::unique_ptr<sluice::broker::publisher> open_publisher() override;
    [[nodiscard]] std::unique_ptr<sluice::broker::reader> open_reader(
        const std::vector<std::string>& streams, const sluice::broker::membership& member) override {
        return inner_->open_reader(streams, member);
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::operations> open_operations() override {
        return inner_->open_operations();
    }

private:
    std::unique_ptr<sluice::broker::broker> inner_;
    std::shared_ptr<bool> away_ = std::make_shared<bool>(false);
    std::shared_ptr<std::vector<std::string>> taken_ = std::make_shared<std::vector<std::string>>();
};

}  // namespace sluice::testing_kit
