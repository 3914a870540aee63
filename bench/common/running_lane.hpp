#pragma once

#include <cstddef>
#include <string>
#include <thread>

#include "base/random.hpp"
#include "outbox/lane.hpp"

namespace sluice::bench {

/// An external lane of the database `default` with the default settings, but for the batch.
[[nodiscard]] outbox::lane_settings lane_to(std::string broker, std::size_t batch);

/// A lane on a thread of its own, which ends with it. What is given to it must outlive it.
class running_lane {
public:
    running_lane(const outbox::lane_settings& settings, store::database& database, broker::broker& broker,
                 const observe::tracer& tracer);
    running_lane(const running_lane&) = delete;
    running_lane& operator=(const running_lane&) = delete;
    ~running_lane() = default;

    [[nodiscard]] base::wake_signal& signal() noexcept { return lane_.signal(); }

private:
    base::seeded_random random_{1};
    outbox::lane lane_;
    std::jthread thread_;
};

}  // namespace sluice::bench
