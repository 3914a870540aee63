#include "common/settle_clock.hpp"

#include <stdexcept>
#include <string>

namespace sluice::bench {

namespace {

class settle_meter final : public observe::meter {
public:
    explicit settle_meter(settle_clock& clock) : clock_{clock} {}
    void count(const observe::settled_rows& rows) noexcept override { clock_.add(rows.published); }
    void count(const observe::handled_message& /*message*/) noexcept override {}
    void count(const observe::breaker_change& /*change*/) noexcept override {}

private:
    settle_clock& clock_;
};

}  // namespace

void settle_clock::add(std::size_t rows) {
    const std::lock_guard lock{mutex_};
    end_ = steady::now();
    if (settled_ == 0) {
        first_batch_ = rows;
        begin_ = end_;
    }
    settled_ += rows;
    changed_.notify_all();
}

double settle_clock::rate_of(std::size_t rows) {
    constexpr auto patience = std::chrono::minutes{1};
    std::unique_lock lock{mutex_};
    while (settled_ < rows) {
        const auto before = settled_;
        if (!changed_.wait_for(lock, patience, [&] { return settled_ != before; })) {
            throw std::runtime_error{"only " + std::to_string(before) + " of " + std::to_string(rows) +
                                     " rows were settled"};
        }
    }
    const std::chrono::duration<double> spent = end_ - begin_;
    return static_cast<double>(settled_ - first_batch_) / spent.count();
}

std::shared_ptr<observe::meter> make_meter(settle_clock& clock) { return std::make_shared<settle_meter>(clock); }

}  // namespace sluice::bench
