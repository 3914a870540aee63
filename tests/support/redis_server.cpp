#include "support/redis_server.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <sluice/message.hpp>

namespace sluice::testing {

std::string quoted(const std::string& word) {
    std::string result = "'";
    for (const char c : word) {
        if (c == '\'') {
            result += "'\\''";
        } else {
            result += c;
        }
    }
    return result + "'";
}

std::string run_command(const std::string& command) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{::popen((command + " 2>&1").c_str(), "r"),
                                                               [](std::FILE*) { return 0; }};
    if (!pipe) throw std::runtime_error{"cannot run " + command};
    std::string output;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe.get());
        if (got == 0) break;
        output.append(buffer.data(), got);
    }
    if (::pclose(pipe.get()) != 0) throw std::runtime_error{command + ": " + output};
    if (output.ends_with('\n')) output.pop_back();
    return output;
}

redis_server::redis_server(std::filesystem::path directory, std::vector<std::string> arguments)
    : directory_{std::move(directory)}, arguments_{std::move(arguments)} {
    start("");
}

redis_server::~redis_server() {
    try {
        stop();
    } catch (const std::exception& trouble) {
        std::fputs(trouble.what(), stderr);
    }
}

void redis_server::start(const std::string& environment) {
    std::string command = environment + quoted(REDIS_SCRIPT) + " start " + quoted(directory_.native());
    for (const auto& argument : arguments_) command += " " + quoted(argument);
    run_command(command + " </dev/null");
    std::ifstream env{directory_ / "env"};
    for (std::string line; std::getline(env, line);) {
        const auto value = line.substr(line.find('=') + 1);
        if (line.starts_with("REDIS_PORT=")) port_ = static_cast<std::uint16_t>(std::stoi(value));
        if (line.starts_with("REDIS_PID=")) pid_ = std::stoi(value);
    }
}

void redis_server::stop() { run_command(quoted(REDIS_SCRIPT) + " stop " + quoted(directory_.native())); }

void redis_server::start_again() { start("REDIS_PORT=" + std::to_string(port_) + " "); }

void redis_server::freeze() { ::kill(pid_, SIGSTOP); }

void redis_server::thaw() { ::kill(pid_, SIGCONT); }

std::string redis_server::cli(const std::vector<std::string>& words) const {
    std::string command = "redis-cli --raw -s " + quoted(socket().native());
    for (const auto& word : words) command += " " + quoted(word);
    return run_command(command);
}

std::vector<std::string> redis_server::message_ids(const std::string& stream, int database) const {
    std::istringstream entries{cli({"-n", std::to_string(database), "xrange", stream, "-", "+"})};
    std::vector<std::string> ids;
    for (std::string line; std::getline(entries, line);) {
        if (line.starts_with('{')) ids.push_back(message::decode(line).id());
    }
    return ids;
}

}  // namespace sluice::testing
