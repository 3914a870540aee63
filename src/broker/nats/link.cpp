#include "broker/nats/link.hpp"

#include <atomic>
#include <thread>
#include <utility>

#include <poll.h>

#include "base/backoff.hpp"
#include "base/signal_mask.hpp"

namespace sluice::broker::nats {
namespace {

constexpr base::backoff link_pause{
    .first = std::chrono::milliseconds{100}, .factor = 2, .most = std::chrono::seconds{2}};

}  // namespace

/// What the thread of an attempt leaves; whoever is last to know of it ends the session.
struct link::attempt {
    std::unique_ptr<session> made{};
    std::string failure{};
    std::atomic<bool> is_over{false};
    base::wake_signal over{};
};

session& link::open(const net::deadline& until) {
    if (session_ && session_->closed()) session_.reset();
    while (!session_) {
        if (!attempt_) {
            if (!pause_.passed()) until.or_sooner(pause_.left()).sleep();
            if (until.passed()) throw outage{failure_.empty() ? "there was no time to connect" : failure_};
            begin_attempt();
        }
        if (!until.wait_for(attempt_->over.fd(), POLLIN)) {
            throw outage{failure_.empty() ? "nats " + to_->location().name() + " did not answer in time" : failure_};
        }
        end_attempt();
    }
    return *session_;
}

void link::begin_attempt() {
    attempt_ = std::make_shared<attempt>();
    const auto& hosts = to_->location().hosts;
    const auto at = hosts[next_host_++ % hosts.size()];
    // The library's threads inherit the mask.
    const base::blocked_signals none;
    std::thread{[to = to_, at, name = name_, outcome = attempt_] {
        try {
            outcome->made = std::make_unique<session>(*to, at, name.c_str());
        } catch (const std::exception& trouble) {
            outcome->failure = trouble.what();
        }
        outcome->is_over = true;
        outcome->over.notify();
    }}.detach();
}

void link::end_attempt() {
    const auto done = std::exchange(attempt_, nullptr);
    if (!done->is_over) return;
    session_ = std::move(done->made);
    if (session_) {
        ++generation_;
        failures_ = 0;
        failure_.clear();
        return;
    }
    failure_ = std::move(done->failure);
    const auto hosts = static_cast<int>(to_->location().hosts.size());
    // The other hosts are asked at once.
    if (++failures_ % hosts == 0) pause_ = net::deadline{link_pause.delay(failures_ / hosts)};
}

}  // namespace sluice::broker::nats
