#include "base/sleeper.hpp"

#include <thread>

namespace sluice::base {

namespace {

class thread_sleeper final : public sleeper {
public:
    void sleep(duration time) override {
        if (time > duration{0}) std::this_thread::sleep_for(time);
    }
};

}  // namespace

sleeper& system_sleeper() {
    static thread_sleeper instance;
    return instance;
}

}  // namespace sluice::base
