#include "engine/instance_slot.hpp"

#include <gtest/gtest.h>
#include <sched.h>
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

TEST(instance_slot, is_given_in_one_place_for_processes_that_share_a_network_namespace) {
    const std::string here = instance_slot::place();
    EXPECT_EQ(here.size(), 16U);
    const pid_t child = ::fork();
    if (child == 0) ::_exit(instance_slot::place() == here ? 0 : 1);
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

TEST(instance_slot, is_given_in_another_place_for_a_process_with_a_network_of_its_own) {
    const std::string here = instance_slot::place();
    const pid_t child = ::fork();
    constexpr int not_allowed = 2;
    if (child == 0) {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) ::_exit(not_allowed);
        ::_exit(instance_slot::place() != here ? 0 : 1);
    }
    int status = 1;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == not_allowed) GTEST_SKIP() << "no new namespace for this account";
    EXPECT_EQ(status, 0);
}

TEST(host_name, is_never_empty) { EXPECT_FALSE(sluice::engine::host_name().empty()); }

}  // namespace
