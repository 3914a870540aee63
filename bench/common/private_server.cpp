#include "common/private_server.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

namespace sluice::bench {

namespace {

void run_script(std::string_view name, const std::string& action, const std::filesystem::path& directory) {
    const auto command = "'" BENCH_SERVER_SCRIPTS "/" + std::string{name} + ".sh' " + action + " '" +
                         directory.string() + "' </dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error{command + " failed"};
}

void stop_quietly(std::string_view name, const std::filesystem::path& directory) noexcept {
    try {
        run_script(name, "stop", directory);
    } catch (const std::exception&) {
        return;  // it has said why
    }
}

/// Ends the servers, too, when the benchmark is ended by a signal.
class signal_watch {
public:
    static signal_watch& instance() {
        static auto* const watch = new signal_watch;  // until the process is gone
        return *watch;
    }

    void add(std::string_view name, const std::filesystem::path& directory) {
        const std::lock_guard lock{mutex_};
        running_.emplace(directory, name);
    }
    void remove(const std::filesystem::path& directory) {
        const std::lock_guard lock{mutex_};
        running_.erase(directory);
    }

private:
    signal_watch() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error{"no pipe"};
        to_watch_ = ends[1];
        std::thread{[this, from = ends[0]] { wait(from); }}.detach();
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, &signal_watch::note);
    }

    static void note(int signal) {
        const auto number = static_cast<char>(signal);
        static_cast<void>(::write(to_watch_, &number, 1) == 1);
    }

    void wait(int from) {
        char signal = 0;
        while (::read(from, &signal, 1) != 1) {
        }
        const std::lock_guard lock{mutex_};
        for (const auto& [directory, name] : running_) stop_quietly(name, directory);
        constexpr int died_by_signal = 128;
        ::_exit(died_by_signal + signal);
    }

    inline static int to_watch_ = -1;
    std::mutex mutex_;
    std::map<std::filesystem::path, std::string> running_;
};

}  // namespace

private_server::private_server(std::string name, std::filesystem::path directory)
    : name_{std::move(name)}, directory_{std::move(directory)} {
    signal_watch::instance().add(name_, directory_);
    run_script(name_, "start", directory_);
}

private_server::~private_server() {
    stop_quietly(name_, directory_);
    signal_watch::instance().remove(directory_);
}

std::string private_server::setting(std::string_view variable) const {
    std::ifstream file{directory_ / "env"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(variable) && line[variable.size()] == '=') return line.substr(variable.size() + 1);
    }
    throw std::runtime_error{"there is no " + std::string{variable} + " in " + directory_.string()};
}

}  // namespace sluice::bench
