#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <thread>

namespace sluice::testing {

/// Bytes of this process that are in memory.
[[nodiscard]] inline std::size_t resident_set() {
    std::ifstream statm{"/proc/self/statm"};
    std::size_t whole = 0;
    std::size_t resident = 0;
    statm >> whole >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Watches how far it grows while this lives.
class resident_set_watch {
public:
    [[nodiscard]] std::size_t growth() const { return most_ - begin_; }

private:
    const std::size_t begin_ = resident_set();
    std::atomic<std::size_t> most_ = begin_;
    std::jthread thread_{[this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            most_ = std::max(most_.load(), resident_set());
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
    }};
};

}  // namespace sluice::testing
