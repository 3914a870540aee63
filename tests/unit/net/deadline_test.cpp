#include "net/deadline.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/unique_fd.hpp"

namespace sluice::net {
namespace {

using namespace std::chrono_literals;

/// A pipe stands for the socket: what is written is there at once.
class wait_for_either_test : public ::testing::Test {
protected:
    wait_for_either_test() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
        from_ = base::unique_fd{ends[0]};
        to_ = base::unique_fd{ends[1]};
    }
    void write() const { ASSERT_EQ(::write(to_.get(), "x", 1), 1); }
    [[nodiscard]] base::wake_reason wait(duration timeout = 10s) {
        return wait_for_either(signal_, from_.get(), POLLIN, deadline{timeout});
    }

    base::wake_signal signal_;
    base::unique_fd from_;
    base::unique_fd to_;
};

TEST_F(wait_for_either_test, ends_with_the_time) { EXPECT_EQ(wait(0s), base::wake_reason::timed_out); }

TEST_F(wait_for_either_test, ends_with_the_socket_and_leaves_it_as_it_is) {
    write();
    EXPECT_EQ(wait(), base::wake_reason::file_changed);
    EXPECT_EQ(wait(), base::wake_reason::file_changed);
}

TEST_F(wait_for_either_test, sees_the_signal_first_and_takes_it_back) {
    write();
    signal_.notify();
    EXPECT_EQ(wait(), base::wake_reason::signalled);
    EXPECT_EQ(wait(), base::wake_reason::file_changed);
}

}  // namespace
}  // namespace sluice::net
