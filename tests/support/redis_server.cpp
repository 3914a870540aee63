#include "support/redis_server.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <utility>

#include <sluice/message.hpp>

#include "support/freeze.hpp"
#include "support/server_log.hpp"
#include "support/shell.hpp"

namespace sluice::testing {

redis_server::redis_server(std::filesystem::path directory, std::vector<std::string> arguments)
    : directory_{std::move(directory)}, arguments_{std::move(arguments)} {
    start("");
    show_on_failure(directory_ / "redis.log");
}

redis_server::~redis_server() {
    try {
        stop();
    } catch (const std::exception& trouble) {
        std::fputs(trouble.what(), stderr);
    }
}

void redis_server::start(const std::string& environment) {
    std::string command = environment + shell_word(REDIS_SCRIPT) + " start " + shell_word(directory_.native());
    for (const auto& argument : arguments_) command += " " + shell_word(argument);
    run_command(command + " </dev/null");
    std::ifstream env{directory_ / "env"};
    for (std::string line; std::getline(env, line);) {
        const auto value = line.substr(line.find('=') + 1);
        if (line.starts_with("REDIS_PORT=")) port_ = static_cast<std::uint16_t>(std::stoi(value));
        if (line.starts_with("REDIS_PID=")) pid_ = std::stoi(value);
    }
}

void redis_server::stop() { run_command(shell_word(REDIS_SCRIPT) + " stop " + shell_word(directory_.native())); }

void redis_server::start_again() { start("REDIS_PORT=" + std::to_string(port_) + " "); }

void redis_server::freeze() { freeze_process(pid_); }

void redis_server::thaw() { ::kill(pid_, SIGCONT); }

std::string redis_server::cli(const std::vector<std::string>& words) const {
    std::string command = "redis-cli --raw -s " + shell_word(socket().native());
    for (const auto& word : words) command += " " + shell_word(word);
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
