#include "engine/instance_slot.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>

namespace {

using sluice::engine::instance_slot;

/// Other runs of this test on the same machine are other deployments.
std::string deployment(const std::string& name) { return name + std::to_string(::getpid()); }

TEST(instance_slot, gives_each_engine_of_a_deployment_the_lowest_free_number) {
    auto first = std::make_unique<instance_slot>(deployment("a"));
    const instance_slot second{deployment("a")};
    const instance_slot elsewhere{deployment("b")};
    EXPECT_EQ(first->number(), 0);
    EXPECT_EQ(second.number(), 1);
    EXPECT_EQ(elsewhere.number(), 0);
    first.reset();
    const instance_slot restarted{deployment("a")};
    EXPECT_EQ(restarted.number(), 0);
}

TEST(instance_slot, is_free_again_when_its_process_was_killed) {
    const std::string name = deployment("killed");
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const instance_slot taken{name};
        const char done = static_cast<char>('0' + taken.number());
        if (::write(ready[1], &done, 1) != 1) ::_exit(1);
        for (;;) ::pause();
    }
    char number = '?';
    ASSERT_EQ(::read(ready[0], &number, 1), 1);
    EXPECT_EQ(number, '0');
    EXPECT_EQ(instance_slot{name}.number(), 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(instance_slot{name}.number(), 0);
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(host_name, is_never_empty) { EXPECT_FALSE(sluice::engine::host_name().empty()); }

}  // namespace
