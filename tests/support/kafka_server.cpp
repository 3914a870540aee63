#include "support/kafka_server.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "support/freeze.hpp"
#include "support/server_log.hpp"
#include "support/shell.hpp"

namespace sluice::testing {

kafka_server::kafka_server(std::filesystem::path directory, bool is_own)
    : directory_{std::move(directory)}, is_own_{is_own} {}

kafka_server::kafka_server(kafka_server&& other) noexcept
    : directory_{std::move(other.directory_)},
      properties_{std::move(other.properties_)},
      is_own_{std::exchange(other.is_own_, false)},
      port_{other.port_},
      login_port_{other.login_port_},
      tls_port_{other.tls_port_},
      pid_{other.pid_} {}

kafka_server kafka_server::shared() {
    kafka_server one{SLUICE_TEST_KAFKA_DIRECTORY, false};
    one.read_env();
    show_on_failure(one.directory_ / "kafka.log");
    return one;
}

kafka_server kafka_server::own(const std::filesystem::path& directory, std::vector<std::string> properties) {
    kafka_server one{directory, true};
    one.properties_ = std::move(properties);
    one.start("");
    show_on_failure(one.directory_ / "kafka.log");
    return one;
}

kafka_server::~kafka_server() {
    if (!is_own_) return;
    try {
        stop();
    } catch (const std::exception& trouble) {
        std::fputs(trouble.what(), stderr);
    }
}

void kafka_server::read_env() {
    std::ifstream env{directory_ / "env"};
    for (std::string line; std::getline(env, line);) {
        const auto value = line.substr(line.find('=') + 1);
        if (line.starts_with("KAFKA_PORT=")) port_ = static_cast<std::uint16_t>(std::stoi(value));
        if (line.starts_with("KAFKA_SASL_PORT=")) login_port_ = static_cast<std::uint16_t>(std::stoi(value));
        if (line.starts_with("KAFKA_TLS_PORT=")) tls_port_ = static_cast<std::uint16_t>(std::stoi(value));
        if (line.starts_with("KAFKA_PID=")) pid_ = std::stoi(value);
    }
    if (port_ == 0) {
        throw std::runtime_error{
            "there is no Kafka; ctest starts it by itself, by hand it is: " SLUICE_TEST_KAFKA_SCRIPT " start " +
            directory_.string()};
    }
}

void kafka_server::start(const std::string& environment) {
    std::string command =
        environment + shell_word(SLUICE_TEST_KAFKA_SCRIPT) + " start " + shell_word(directory_.native());
    for (const auto& each : properties_) command += " " + shell_word(each);
    run_command(command + " </dev/null");
    read_env();
}

void kafka_server::stop() {
    run_command(shell_word(SLUICE_TEST_KAFKA_SCRIPT) + " stop " + shell_word(directory_.native()));
}

void kafka_server::kill_hard() { ::kill(pid_, SIGKILL); }

void kafka_server::start_again() { start("KAFKA_PORT=" + std::to_string(port_) + " "); }

void kafka_server::freeze() { freeze_process(pid_); }

void kafka_server::thaw() { ::kill(pid_, SIGCONT); }

std::string kafka_server::tool(const std::string& name, const std::vector<std::string>& arguments) const {
    std::string command = shell_word(SLUICE_TEST_KAFKA_SCRIPT) + " tool " + name + " --bootstrap-server " + servers();
    for (const auto& each : arguments) command += " " + shell_word(each);
    return run_command(command + " </dev/null");
}

}  // namespace sluice::testing
