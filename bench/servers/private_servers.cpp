#include "servers/private_servers.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "servers/pg_link.hpp"
#include "servers/redis_link.hpp"

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

std::string setting(const std::filesystem::path& directory, std::string_view name) {
    std::ifstream file{directory / "env"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name) && line[name.size()] == '=') return line.substr(name.size() + 1);
    }
    throw std::runtime_error{"there is no " + std::string{name} + " in " + directory.string()};
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

private_postgresql::private_postgresql(std::filesystem::path directory) : directory_{std::move(directory)} {
    signal_watch::instance().add("postgres", directory_);
    run_script("postgres", "start", directory_);
    const auto uri = setting(directory_, "SLUICE_TEST_POSTGRES_URI");
    base_ = uri.substr(0, uri.rfind('/') + 1);
}

private_postgresql::~private_postgresql() {
    stop_quietly("postgres", directory_);
    signal_watch::instance().remove(directory_);
}

std::string private_postgresql::make_database(const std::string& name) const {
    pg_link{uri()}.execute("CREATE DATABASE " + name);
    return uri_of(name);
}

private_redis::private_redis(std::filesystem::path directory) : directory_{std::move(directory)} {
    signal_watch::instance().add("redis", directory_);
    run_script("redis", "start", directory_);
    port_ = static_cast<std::uint16_t>(std::stoi(setting(directory_, "REDIS_PORT")));
    pid_ = std::stoi(setting(directory_, "REDIS_PID"));
}

private_redis::~private_redis() {
    stop_quietly("redis", directory_);
    signal_watch::instance().remove(directory_);
}

void private_redis::flush() const {
    redis_link link{port_};
    link.send(redis_command({"FLUSHALL"}));
    link.status();
}

}  // namespace sluice::bench
