#include "service_process.hpp"

#include <csignal>
#include <stdexcept>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::chaos {

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
    if (pid_ > 0) ::kill(pid_, SIGSTOP);
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
