#include "console/rebuilds.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <exception>
#include <stop_token>
#include <utility>

#include "base/one_line.hpp"
#include "base/signal_mask.hpp"
#include "observe/log.hpp"
#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

/// Nobody watches but the database.
class quiet_host final : public projection::rebuild_host {
public:
    explicit quiet_host(std::stop_token stop) : stop_{std::move(stop)} {}

    bool stopped() override { return stop_.stop_requested(); }
    void rest(duration time) override {
        std::unique_lock lock{mutex_};
        bell_.wait_for(lock, stop_, time, [] { return false; });
    }
    void progress(const projection::rebuild_progress& /*now*/) override {}

private:
    std::stop_token stop_;
    std::mutex mutex_;
    std::condition_variable_any bell_;
};

}  // namespace

void rebuilds::begin(const std::string& read_model) {
    const std::lock_guard lock{mutex_};
    std::unique_ptr<job>& known = jobs_[read_model];
    if (known && !known->ended) {
        throw operate::conflict("rebuild_under_way", fmt::format("`{}` is being rebuilt already", read_model));
    }
    auto next = std::make_unique<job>();
    const base::blocked_signals none;
    next->thread = std::jthread{
        [this, read_model, own = next.get(), log = observe::log_route_of_this_thread()](const std::stop_token& stop) {
            const observe::log_scope scope{log};
            run(read_model, *own, stop);
        }};
    known = std::move(next);
}

std::map<std::string, std::string> rebuilds::failures() const {
    const std::lock_guard lock{mutex_};
    std::map<std::string, std::string> failed;
    for (const auto& [name, each] : jobs_) {
        if (each->ended && !each->error.empty()) failed.emplace(name, each->error);
    }
    return failed;
}

void rebuilds::run(const std::string& read_model, job& own, const std::stop_token& stop) const {
    try {
        quiet_host host{stop};
        // One that finishes tells the log itself.
        if (!work_(read_model, host).finished) {
            observe::log(observe::level::info, "console.rebuild_stopped", {{"read_model", read_model}});
        }
    } catch (const std::exception& e) {
        own.error = base::one_line(e.what());
        observe::log(observe::level::error, "console.rebuild_failed",
                     {{"read_model", read_model}, {"reason", own.error}});
    }
    own.ended = true;
}

}  // namespace sluice::console
