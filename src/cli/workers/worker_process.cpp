#include "cli/workers/worker_process.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include <sluice/error.hpp>

namespace sluice::cli {

namespace {

constexpr const char* variable = "SLUICE_WORKER";
constexpr const char* own_program = "/proc/self/exe";

std::vector<std::string> own_arguments() {
    std::ifstream file{"/proc/self/cmdline", std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    std::vector<std::string> arguments;
    for (std::size_t begin = 0; begin < text.size();) {
        arguments.emplace_back(text.c_str() + begin);
        begin += arguments.back().size() + 1;
    }
    if (arguments.empty()) throw error{"cannot start workers: /proc/self/cmdline does not tell our arguments"};
    return arguments;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& each : texts) pointers.push_back(each.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// A worker that outlives its parent for a moment must not keep the parent's ports and locks, wherever they come from.
void close_all_but_standard(int kept) {
    constexpr unsigned first = STDERR_FILENO + 1;
    if (::close_range(first, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
        const long most = ::sysconf(_SC_OPEN_MAX);
        for (int fd = first; fd < most; ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    ::fcntl(kept, F_SETFD, 0);
}

/// Between fork and exec: only what is safe there.
[[noreturn]] void become_worker(char* const* arguments, char* const* environment, int to_parent, pid_t parent,
                                const sigset_t& signals) {
    constexpr int not_executable = 126;
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(0);  // it was killed before the kernel knew
    close_all_but_standard(to_parent);
    ::signal(SIGPIPE, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &signals, nullptr);
    ::execve(own_program, arguments, environment);
    ::_exit(not_executable);
}

void tell(const base::unique_fd& parent, char word) noexcept {
    // A parent that is gone does not need to know: the signal for that is on its way.
    if (::write(parent.get(), &word, 1) != 1) return;
}

}  // namespace

void worker_role::tell_ready() const noexcept { tell(to_parent, ready); }

void worker_role::tell_not_reloaded() const noexcept { tell(to_parent, not_reloaded); }

std::optional<worker_role> take_worker_role() {
    const char* const text = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): there is one thread
    if (text == nullptr) return std::nullopt;
    int index = 0;
    int parent = 0;
    int fd = -1;
    constexpr int parts = 3;
    const int read = std::sscanf(text, "%d:%d:%d", &index, &parent, &fd);  // NOLINT(cert-err34-c): checked below
    ::unsetenv(variable);                                                  // NOLINT(concurrency-mt-unsafe)
    if (read != parts || index < 1 || parent != ::getppid() || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return std::nullopt;
    }
    return worker_role{index, base::unique_fd{fd}};
}

worker_launcher::worker_launcher(const sigset_t& signals) : signals_{signals}, arguments_{own_arguments()} {
    for (char** each = environ; *each != nullptr; ++each) {
        if (!std::string_view{*each}.starts_with("SLUICE_WORKER=")) environment_.emplace_back(*each);
    }
}

worker_process worker_launcher::start(int index) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        throw std::system_error{errno, std::generic_category(), "no pipe for a worker"};
    }
    base::unique_fd says{ends[0]};
    const base::unique_fd to_parent{ends[1]};

    const pid_t parent = ::getpid();
    std::vector<std::string> variables = environment_;
    variables.push_back(std::string{variable} + "=" + std::to_string(index) + ":" + std::to_string(parent) + ":" +
                        std::to_string(to_parent.get()));
    const std::vector<char*> environment = pointers_to(variables);
    const std::vector<char*> arguments = pointers_to(arguments_);

    const pid_t pid = ::fork();
    if (pid == 0) become_worker(arguments.data(), environment.data(), to_parent.get(), parent, signals_);
    if (pid < 0) throw std::system_error{errno, std::generic_category(), "no process for a worker"};
    return {pid, std::move(says)};
}

}  // namespace sluice::cli
