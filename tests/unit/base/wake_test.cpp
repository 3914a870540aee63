#include "base/wake.hpp"

#include <gtest/gtest.h>

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stop_token>
#include <thread>

namespace {

using namespace sluice::base;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr sluice::duration only_look{0};
constexpr sluice::duration for_ever = sluice::duration::max();

class folder {
public:
    folder() {
        std::string name = (fs::temp_directory_path() / "sluice-wake-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary folder"};
        path_ = name;
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }

    [[nodiscard]] const fs::path& path() const { return path_; }
    void write(const std::string& name) const { std::ofstream{path_ / name, std::ios::app} << "x"; }

private:
    fs::path path_;
};

TEST(wake_signal, stays_set_until_it_is_drained) {
    wake_signal signal;
    EXPECT_EQ(wait_any(signal, nullptr, only_look), wake_reason::timed_out);
    signal.notify();
    signal.notify();
    EXPECT_EQ(wait_any(signal, nullptr, for_ever), wake_reason::signalled);
    EXPECT_EQ(wait_any(signal, nullptr, only_look), wake_reason::timed_out);
    signal.notify();
    signal.drain();
    signal.drain();
    EXPECT_EQ(wait_any(signal, nullptr, only_look), wake_reason::timed_out);
}

TEST(wake_signal, a_stop_request_wakes_the_sleeper) {
    wake_signal signal;
    std::atomic<int> wakes = 0;
    {
        std::jthread sleeper{[&](const std::stop_token& stop) {
            const std::stop_callback wake{stop, [&] { signal.notify(); }};
            while (!stop.stop_requested()) {
                if (wait_any(signal, nullptr, for_ever) == wake_reason::signalled) ++wakes;
            }
        }};
    }
    EXPECT_LE(wakes, 1);
}

TEST(wait_any, waits_no_shorter_than_asked) {
    wake_signal signal;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(wait_any(signal, nullptr, 1500us), wake_reason::timed_out);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 1500us);
    EXPECT_EQ(wait_any(signal, nullptr, sluice::duration::min()), wake_reason::timed_out);
}

TEST(wait_any, is_not_ended_by_signal_handlers) {
    struct sigaction action = {};
    struct sigaction previous = {};
    action.sa_handler = [](int) {};
    ASSERT_EQ(::sigaction(SIGUSR1, &action, &previous), 0);

    wake_signal signal;
    std::atomic<bool> awake = false;
    wake_reason reason{};
    std::thread sleeper{[&] {
        reason = wait_any(signal, nullptr, 20ms);
        awake = true;
    }};
    while (!awake) {
        ::pthread_kill(sleeper.native_handle(), SIGUSR1);
        std::this_thread::yield();
    }
    sleeper.join();
    EXPECT_EQ(reason, wake_reason::timed_out);
    ::sigaction(SIGUSR1, &previous, nullptr);
}

TEST(file_watch, sees_files_with_the_prefix_appear_change_and_move_in) {
    const folder dir;
    wake_signal signal;
    file_watch watch{dir.path(), "shop.db-wal"};

    dir.write("shop.db-wal");
    EXPECT_EQ(wait_any(signal, &watch, for_ever), wake_reason::file_changed);
    EXPECT_EQ(wait_any(signal, &watch, only_look), wake_reason::timed_out);

    dir.write("shop.db-wal");
    EXPECT_EQ(wait_any(signal, &watch, for_ever), wake_reason::file_changed);

    dir.write("other");
    fs::rename(dir.path() / "other", dir.path() / "shop.db-wal");
    EXPECT_EQ(wait_any(signal, &watch, for_ever), wake_reason::file_changed);
    EXPECT_EQ(wait_any(signal, &watch, only_look), wake_reason::timed_out);
}

TEST(file_watch, other_files_do_not_end_the_sleep) {
    const folder dir;
    wake_signal signal;
    file_watch watch{dir.path(), "shop.db-wal"};
    dir.write("shop.db");
    dir.write("my-shop.db-wal");
    EXPECT_EQ(wait_any(signal, &watch, 5ms), wake_reason::timed_out);
    EXPECT_EQ(wait_any(signal, &watch, only_look), wake_reason::timed_out);
}

TEST(file_watch, a_set_signal_is_seen_first_and_no_change_is_lost) {
    const folder dir;
    wake_signal signal;
    file_watch watch{dir.path(), "wal"};
    dir.write("wal");
    signal.notify();
    EXPECT_EQ(wait_any(signal, &watch, for_ever), wake_reason::signalled);
    EXPECT_EQ(wait_any(signal, &watch, for_ever), wake_reason::file_changed);
}

TEST(file_watch, is_silent_without_its_folder_and_comes_alive_with_it) {
    const folder parent;
    const fs::path missing = parent.path() / "later";
    wake_signal signal;
    file_watch watch{missing, "wal"};
    EXPECT_EQ(wait_any(signal, &watch, only_look), wake_reason::timed_out);
    EXPECT_FALSE(watch.drain());

    fs::create_directory(missing);
    EXPECT_EQ(wait_any(signal, &watch, only_look), wake_reason::file_changed) << "what happened before went unseen";
    EXPECT_EQ(wait_any(signal, &watch, only_look), wake_reason::timed_out);
    std::ofstream{missing / "wal"} << "x";
    EXPECT_EQ(wait_any(signal, &watch, for_ever), wake_reason::file_changed);
}

TEST(file_watch, follows_its_path_when_the_folder_is_replaced) {
    const folder parent;
    const fs::path path = parent.path() / "data";
    fs::create_directory(path);
    wake_signal signal;
    file_watch watch{path, "wal"};

    fs::rename(path, parent.path() / "old");
    EXPECT_EQ(wait_any(signal, &watch, only_look), wake_reason::timed_out);
    fs::create_directory(path);
    EXPECT_EQ(wait_any(signal, &watch, for_ever), wake_reason::file_changed);

    fs::remove_all(path);
    EXPECT_EQ(wait_any(signal, &watch, only_look), wake_reason::timed_out);
    fs::create_directory(path);
    EXPECT_EQ(wait_any(signal, &watch, for_ever), wake_reason::file_changed);
    std::ofstream{path / "wal"} << "x";
    EXPECT_EQ(wait_any(signal, &watch, for_ever), wake_reason::file_changed);
}

TEST(file_watch, two_watches_of_one_folder_both_see_a_change) {
    const folder dir;
    wake_signal signal;
    file_watch first{dir.path(), "wal"};
    file_watch second{dir.path(), "wal"};
    dir.write("wal");
    EXPECT_EQ(wait_any(signal, &first, for_ever), wake_reason::file_changed);
    EXPECT_EQ(wait_any(signal, &second, for_ever), wake_reason::file_changed);
}

}  // namespace
