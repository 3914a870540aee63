#include "cli/workers/init_process.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace sluice::cli {

namespace {

constexpr int signal_base_of_init = 128;

int exit_code_of(int status) {
    return WIFSIGNALED(status) ? signal_base_of_init + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Buries whoever has ended. The exit code when the child is among them.
std::optional<int> bury(pid_t child) {
    std::optional<int> code;
    int status = 0;
    for (pid_t gone = ::waitpid(-1, &status, WNOHANG); gone > 0; gone = ::waitpid(-1, &status, WNOHANG)) {
        if (gone == child) code = exit_code_of(status);
    }
    return code;
}

int attend(pid_t child, const sigset_t& all) {
    for (;;) {
        siginfo_t info{};
        const int signal = ::sigwaitinfo(&all, &info);
        if (signal < 0) continue;
        if (const auto code = bury(child)) return *code;
        // What the terminal sends reaches the child by itself.
        const bool from_kernel = info.si_code == SI_KERNEL;
        if (signal != SIGCHLD && !from_kernel) ::kill(child, signal);
    }
}

}  // namespace

std::optional<int> stay_behind_as_init() {
    if (::getpid() != 1) return std::nullopt;
    sigset_t all{};
    sigset_t before{};
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    ::signal(SIGCHLD, SIG_DFL);
    const pid_t child = ::fork();
    if (child < 0) throw std::system_error{errno, std::generic_category(), "cannot start the server beside process 1"};
    if (child == 0) {
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        return std::nullopt;
    }
    return attend(child, all);
}

}  // namespace sluice::cli
