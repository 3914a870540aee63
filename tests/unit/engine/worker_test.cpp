#include "engine/worker.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <stdexcept>
#include <thread>

namespace {

using namespace std::chrono_literals;
using sluice::engine::worker;

auto in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

void await_stop(const std::stop_token& stop) {
    std::binary_semaphore stopped{0};
    const std::stop_callback release{stop, [&] { stopped.release(); }};
    stopped.acquire();
}

TEST(worker, runs_until_it_is_stopped) {
    worker w{"w", await_stop};
    EXPECT_TRUE(w.ended_by(in(0ms))) << "it did not start yet";
    w.start();
    EXPECT_TRUE(w.state().running);
    EXPECT_FALSE(w.ended_by(in(1ms)));
    w.request_stop();
    EXPECT_TRUE(w.ended_by(in(10s)));
    EXPECT_FALSE(w.state().running);
    EXPECT_EQ(w.state().restarts, 0);
}

TEST(worker, starts_a_loop_again_that_threw_and_remembers_why) {
    std::atomic<int> runs = 0;
    worker w{"w",
             [&](const std::stop_token& stop) {
                 if (++runs == 1) throw std::runtime_error{"first\nlife"};
                 await_stop(stop);
             },
             {.first = 1ms}};
    w.start();
    while (runs < 2) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(w.state().restarts, 1);
    EXPECT_EQ(w.state().last_failure, "first life");
    w.request_stop();
    EXPECT_TRUE(w.ended_by(in(10s)));
}

TEST(worker, survives_whatever_a_loop_throws_and_does_not_wait_when_stopped) {
    worker w{"w", [](const std::stop_token&) { throw 42; }};  // NOLINT(hicpp-exception-baseclass)
    w.start();
    while (!w.state().waiting) std::this_thread::yield();
    w.request_stop();
    EXPECT_TRUE(w.ended_by(in(900ms))) << "less than the pause before the next start";
}

TEST(worker, a_loop_that_ends_by_itself_is_a_failure) {
    worker w{"w", [](const std::stop_token&) {}};
    w.start();
    while (!w.state().waiting) std::this_thread::yield();
    EXPECT_EQ(w.state().last_failure, "it ended by itself");
}

TEST(worker, tells_when_a_loop_does_not_end) {
    std::binary_semaphore entered{0};
    std::binary_semaphore release{0};
    worker w{"w", [&](const std::stop_token&) {
                 entered.release();
                 release.acquire();
             }};
    w.start();
    entered.acquire();
    w.request_stop();
    EXPECT_FALSE(w.ended_by(in(10ms)));
    release.release();
    EXPECT_TRUE(w.ended_by(in(10s)));
}

}  // namespace
