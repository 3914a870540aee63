#include "testing/observed_broker.hpp"

#include <set>
#include <utility>

#include <sluice/error.hpp>

#include "broker/inline/inline_broker.hpp"

namespace sluice::testing_kit {

namespace {

using sluice::broker::outgoing;
using sluice::broker::producer;
using sluice::broker::verdict;

class observed_publisher final : public sluice::broker::publisher {
public:
    observed_publisher(std::unique_ptr<publisher> inner, std::shared_ptr<const bool> away,
                       std::shared_ptr<std::vector<std::string>> taken)
        : inner_{std::move(inner)}, away_{std::move(away)}, taken_{std::move(taken)} {}

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override {
        if (*away_) return std::vector<verdict>(batch.size(), sluice::broker::unreachable{"the test took it away"});
        std::vector<verdict> verdicts = inner_->publish(batch, from, timeout);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const auto* const taken = std::get_if<sluice::broker::delivered>(&verdicts[i]);
            const bool is_new = taken != nullptr && known_.emplace(batch[i].stream, taken->receipt).second;
            if (is_new) taken_->emplace_back(batch[i].body);
        }
        return verdicts;
    }
    [[nodiscard]] std::string probe(duration timeout) override {
        return *away_ ? "the test took it away" : inner_->probe(timeout);
    }

private:
    std::unique_ptr<publisher> inner_;
    std::shared_ptr<const bool> away_;
    std::shared_ptr<std::vector<std::string>> taken_;
    std::set<std::pair<std::string, std::string>> known_;  ///< stream and receipt: a copy has those of the first
};

}  // namespace

observed_broker::observed_broker(std::string name) : inner_{sluice::broker::make_inline_broker(std::move(name))} {}

void observed_broker::put(const outgoing& message) {
    const auto verdicts = inner_->open_publisher()->publish({&message, 1}, {}, std::chrono::seconds{1});
    if (!std::holds_alternative<sluice::broker::delivered>(verdicts.at(0))) {
        throw broker_error{"broker `" + describe() + "` did not take message `" + std::string{message.message_id} +
                           "`"};
    }
}

std::unique_ptr<sluice::broker::publisher> observed_broker::open_publisher() {
    return std::make_unique<observed_publisher>(inner_->open_publisher(), away_, taken_);
}

}  // namespace sluice::testing_kit
