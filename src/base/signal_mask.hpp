#pragma once

#include <csignal>
#include <initializer_list>

namespace sluice::base {

/// Blocks the signals of the current thread while it lives; threads that are made meanwhile keep that. Signals of
/// faults and of profilers stay as they are: they are about the thread that gets them.
///
/// Thread safety: belongs to the thread that makes it.
class blocked_signals {
public:
    blocked_signals() noexcept {
        sigset_t blocked{};
        sigfillset(&blocked);
        for (const int each : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) {
            sigdelset(&blocked, each);
        }
        pthread_sigmask(SIG_BLOCK, &blocked, &before_);
    }
    blocked_signals(const blocked_signals&) = delete;
    blocked_signals& operator=(const blocked_signals&) = delete;
    ~blocked_signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

}  // namespace sluice::base
