#include "service_process.hpp"

#include <csignal>
#include <cstdint>
#include <fstream>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/eventually.hpp"

namespace sluice::chaos {
namespace {

/// The process does with SIGTERM what it wants. One that has only just begun does not yet, and would be ended by it.
bool obeys(pid_t process) {
    constexpr std::uint64_t bit = std::uint64_t{1} << (SIGTERM - 1);
    std::ifstream status{"/proc/" + std::to_string(process) + "/status"};
    for (std::string line; std::getline(status, line);) {
        const bool tells = line.starts_with("SigBlk:") || line.starts_with("SigCgt:");
        if (tells && (std::stoull(line.substr(line.find(':') + 1), nullptr, 16) & bit) != 0) return true;
    }
    return false;
}

bool has_ended(pid_t process) {
    siginfo_t ended{};
    return ::waitid(P_PID, static_cast<id_t>(process), &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid != 0;
}

}  // namespace

service_process::service_process(std::vector<std::string> command, std::filesystem::path directory,
                                 std::filesystem::path log)
    : command_{std::move(command)}, directory_{std::move(directory)}, log_{std::move(log)} {
    std::signal(SIGPIPE, SIG_IGN);  // a killed reader is an answer of write(), not our end
}

service_process::~service_process() { kill(); }

void service_process::start() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
    std::vector<char*> arguments;
    for (std::string& word : command_) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    pid_ = ::fork();
    if (pid_ == 0) {
        // Only what is safe between fork and exec.
        const int out = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        ::dup2(ends[0], STDIN_FILENO);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        if (::chdir(directory_.c_str()) == 0) ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(ends[0]);
    if (pid_ < 0) throw std::runtime_error{"no process"};
    input_ = ends[1];
}

void service_process::kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    static_cast<void>(wait());
}

int service_process::terminate() {
    if (pid_ < 0) return -1;
    static_cast<void>(sluice::testing::eventually([this] { return has_ended(pid_) || obeys(pid_); }));
    close_input();
    ::kill(pid_, SIGTERM);
    return wait();
}

int service_process::finish() {
    if (pid_ < 0) return -1;
    close_input();
    return wait();
}

void service_process::freeze() const {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGSTOP);
    siginfo_t stopped{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WEXITED | WNOWAIT);
}

void service_process::thaw() const {
    if (pid_ > 0) ::kill(pid_, SIGCONT);
}

bool service_process::running() {
    if (pid_ < 0) return false;
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
    pid_ = -1;
    close_input();
    return false;
}

bool service_process::write_line(const std::string& line) {
    const std::string text = line + "\n";
    return input_ >= 0 && ::write(input_, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

int service_process::wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    close_input();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void service_process::close_input() {
    if (input_ >= 0) ::close(input_);
    input_ = -1;
}

}  // namespace sluice::chaos
