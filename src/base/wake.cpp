#include "base/wake.hpp"

#include <sluice/error.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <string_view>
#include <system_error>
#include <utility>

namespace sluice::base {
namespace {

constexpr std::uint32_t changes = IN_MODIFY | IN_CREATE | IN_MOVED_TO;
constexpr std::uint32_t ends_of_watch = IN_IGNORED | IN_MOVE_SELF;

[[noreturn]] void fail(const char* call) {
    throw error{std::string{call} + " failed: " + std::generic_category().message(errno), error_nature::outage};
}

/// Repeats a system call that a signal handler interrupted.
template <class Call>
ssize_t uninterrupted(Call call) noexcept {
    ssize_t result = call();
    while (result < 0 && errno == EINTR) result = call();
    return result;
}

class deadline {
public:
    explicit deadline(duration timeout)
        : end_{clock_type::now() + std::clamp(timeout, duration{0}, duration{forever})} {}

    [[nodiscard]] bool passed() const { return clock_type::now() >= end_; }

    [[nodiscard]] timespec remaining() const {
        const auto left = std::max(end_ - clock_type::now(), clock_type::duration{0});
        const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
        return {.tv_sec = static_cast<std::time_t>(seconds.count()),
                .tv_nsec = static_cast<long>(std::chrono::nanoseconds{left - seconds}.count())};
    }

private:
    using clock_type = std::chrono::steady_clock;
    static constexpr std::chrono::hours forever{24 * 365 * 100};  // far off, and yet no overflow

    clock_type::time_point end_;
};

}  // namespace

wake_signal::wake_signal() : fd_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {
    if (!fd_) fail("eventfd");
}

void wake_signal::notify() noexcept {
    // The only other failure is a full counter, and then the signal is set already.
    const std::uint64_t one = 1;
    uninterrupted([&] { return ::write(fd_.get(), &one, sizeof one); });
}

void wake_signal::drain() noexcept {
    std::uint64_t count = 0;
    uninterrupted([&] { return ::read(fd_.get(), &count, sizeof count); });
}

file_watch::file_watch(std::filesystem::path directory, std::string name_prefix)
    : directory_{std::move(directory)}, name_prefix_{std::move(name_prefix)} {
    static_cast<void>(rearm());  // nothing happened before
}

bool file_watch::rearm() {
    if (watch_ >= 0) return false;
    if (!fd_) fd_ = unique_fd{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
    if (!fd_) return false;
    watch_ = ::inotify_add_watch(fd_.get(), directory_.c_str(), changes | IN_MOVE_SELF | IN_ONLYDIR);
    return watch_ >= 0;
}

bool file_watch::drain() {
    alignas(inotify_event) std::array<char, 4096> buffer{};
    bool relevant = false;
    for (;;) {
        const ssize_t length = uninterrupted([&] { return ::read(fd_.get(), buffer.data(), buffer.size()); });
        if (length <= 0) return relevant;
        const char* const end = buffer.data() + length;
        for (const char* next = buffer.data(); next < end;) {
            inotify_event event{};
            std::memcpy(&event, next, sizeof event);
            // The kernel pads the name with zeros.
            const std::string_view name = event.len > 0 ? next + sizeof event : "";
            next += sizeof event + event.len;

            const bool events_were_lost = (event.mask & IN_Q_OVERFLOW) != 0;
            const bool watched_file = (event.mask & changes) != 0 && name.starts_with(name_prefix_);
            relevant = relevant || events_were_lost || watched_file;
            if ((event.mask & ends_of_watch) != 0 && event.wd == watch_) {
                ::inotify_rm_watch(fd_.get(), watch_);
                watch_ = -1;
            }
        }
    }
}

wake_reason wait_any(wake_signal& signal, file_watch* watch, duration timeout) {
    const deadline end{timeout};
    for (;;) {
        if (watch != nullptr && watch->rearm()) return wake_reason::file_changed;

        std::array<pollfd, 2> sources{
            pollfd{.fd = signal.fd(), .events = POLLIN, .revents = 0},
            pollfd{.fd = watch != nullptr ? watch->fd() : -1, .events = POLLIN, .revents = 0}};
        const timespec remaining = end.remaining();
        const int ready = ::ppoll(sources.data(), sources.size(), &remaining, nullptr);
        if (ready < 0 && errno != EINTR) fail("ppoll");
        if (ready == 0) return wake_reason::timed_out;
        if (ready < 0) continue;

        if (sources[0].revents != 0) {
            signal.drain();
            return wake_reason::signalled;
        }
        if (watch != nullptr && watch->drain()) return wake_reason::file_changed;
        if (end.passed()) return wake_reason::timed_out;  // however many other files are being written
    }
}

}  // namespace sluice::base
