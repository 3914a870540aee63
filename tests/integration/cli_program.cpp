#include "integration/cli_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

#include "support/eventually.hpp"

namespace sluice::testing {

namespace {

std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
    return ends;
}

/// A child that is process 1 where it lives; where that is not allowed, an ordinary one.
pid_t fork_first_process() {
    const auto flags = static_cast<unsigned long>(CLONE_NEWPID | SIGCHLD);
    const long child = syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
    return child < 0 ? fork() : static_cast<pid_t>(child);
}

[[noreturn]] void become(const std::vector<std::string>& arguments, const program_settings& settings) {
    std::vector<char*> argv{const_cast<char*>(SLUICE_PROGRAM)};
    for (const std::string& each : arguments) argv.push_back(const_cast<char*>(each.c_str()));
    argv.push_back(nullptr);
    std::vector<std::string> variables{"PATH=/usr/bin:/bin", "TERM=xterm"};
    for (const auto& [name, value] : settings.environment) variables.push_back(name + "=" + value);
    std::vector<char*> envp;
    for (std::string& each : variables) envp.push_back(each.data());
    envp.push_back(nullptr);
    if (settings.ignore_hang_up) std::signal(SIGHUP, SIG_IGN);
    if (settings.user && (setgid(*settings.user) != 0 || setuid(*settings.user) != 0)) _exit(126);
    if (chdir(settings.directory.c_str()) == 0) execve(SLUICE_PROGRAM, argv.data(), envp.data());
    _exit(127);
}

}  // namespace

running_program::running_program(const std::vector<std::string>& arguments, const program_settings& settings) {
    std::signal(SIGPIPE, SIG_IGN);
    if (settings.on_terminal) {
        child_ = forkpty(&in_, nullptr, nullptr, nullptr);
        if (child_ == 0) become(arguments, settings);
        fcntl(in_, F_SETFD, FD_CLOEXEC);
        out_ = dup(in_);
        return;
    }
    const auto input = make_pipe();
    const auto output = make_pipe();
    const auto errors = make_pipe();
    if (settings.pipe_bytes > 0) fcntl(errors[1], F_SETPIPE_SZ, settings.pipe_bytes);
    child_ = settings.first_process ? fork_first_process() : fork();
    if (child_ < 0) throw std::runtime_error{"no process"};
    if (child_ == 0) {
        dup2(input[0], STDIN_FILENO);
        dup2(output[1], STDOUT_FILENO);
        dup2(errors[1], STDERR_FILENO);
        std::signal(SIGPIPE, SIG_DFL);
        become(arguments, settings);
    }
    close(input[0]);
    close(output[1]);
    close(errors[1]);
    in_ = input[1];
    out_ = output[0];
    err_ = errors[0];
}

running_program::~running_program() {
    if (child_ > 0) {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }
    for (const int fd : {in_, out_, err_}) {
        if (fd >= 0) close(fd);
    }
}

void running_program::write(std::string_view text) const {
    while (!text.empty()) {
        const ssize_t written = ::write(in_, text.data(), text.size());
        if (written <= 0) return;  // the program has closed its input; its exit code tells
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void running_program::close_input() {
    if (in_ >= 0) close(in_);
    in_ = -1;
}

void running_program::close_output() {
    if (out_ >= 0) close(out_);
    out_ = -1;
}

void running_program::signal(int number) const { kill(child_, number); }

bool running_program::read_some(deadline until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 2> waited{
        {{.fd = out_, .events = POLLIN, .revents = 0}, {.fd = err_, .events = POLLIN, .revents = 0}}};
    if (out_ < 0 && err_ < 0) return false;
    if (poll(waited.data(), waited.size(), static_cast<int>(left.count())) <= 0) return true;
    std::array<char, 65536> buffer{};
    const auto take = [&](int& fd, short events, std::string& into) {
        if (fd < 0 || events == 0) return;
        const ssize_t got = read(fd, buffer.data(), buffer.size());
        if (got > 0) {
            into.append(buffer.data(), static_cast<std::size_t>(got));
        } else {
            close(fd);  // a terminal reports the end as an error
            fd = -1;
        }
    };
    take(out_, waited[0].revents, result_.out);
    take(err_, waited[1].revents, result_.err);
    return true;
}

bool running_program::wait_for_text(std::string_view text, std::size_t times) {
    const auto until = std::chrono::steady_clock::now() + long_enough;
    const auto has_come = [&](const std::string& output) {
        std::size_t count = 0;
        for (auto at = output.find(text); at != std::string::npos; at = output.find(text, at + 1)) ++count;
        return count >= times;
    };
    while (!has_come(result_.out) && !has_come(result_.err)) {
        if (!read_some(until)) return false;
    }
    return true;
}

bool running_program::ends_unread() {
    return eventually([this] {
        if (child_ > 0 && waitpid(child_, &status_, WNOHANG) == child_) child_ = -1;
        return child_ < 0;
    });
}

program_result running_program::finish() {
    if (err_ >= 0) close_input();  // closing a terminal would hang up on the program
    const auto until = std::chrono::steady_clock::now() + long_enough;
    while (read_some(until)) {
    }
    if (child_ > 0) {
        if (std::chrono::steady_clock::now() >= until) kill(child_, SIGKILL);
        waitpid(child_, &status_, 0);
        child_ = -1;
    }
    result_.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    return result_;
}

program_result run_sluice(const std::vector<std::string>& arguments, const program_settings& settings,
                          std::string_view input) {
    running_program program{arguments, settings};
    program.write(input);
    return program.finish();
}

}  // namespace sluice::testing
