#include "support/rabbitmq_server.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>

#include "support/server_log.hpp"
#include "support/shell.hpp"

namespace sluice::testing::rabbitmq {

server server::shared() {
    server one{SLUICE_TEST_RABBITMQ_DIRECTORY};
    if (std::filesystem::exists(one.directory_ + "/env")) show_on_failure(one.setting("SLUICE_TEST_RABBITMQ_LOG"));
    return one;
}

server server::own() {
    auto directory = std::make_unique<temporary_directory>();
    server made{(directory->path() / "rabbitmq").native()};
    made.temporary_ = std::move(directory);
    run_command(testing::shell_word(SLUICE_TEST_RABBITMQ_SCRIPT) + " start " + testing::shell_word(made.directory_) +
                " </dev/null");
    show_on_failure(made.setting("SLUICE_TEST_RABBITMQ_LOG"));
    return made;
}

server::~server() {
    if (!temporary_) return;
    try {
        run_command(testing::shell_word(SLUICE_TEST_RABBITMQ_SCRIPT) + " stop " + testing::shell_word(directory_));
    } catch (const std::exception& trouble) {
        std::fputs(trouble.what(), stderr);
    }
}

std::string server::setting(std::string_view name) const {
    std::ifstream env{directory_ + "/env"};
    for (std::string line; std::getline(env, line);) {
        const auto equals = line.find('=');
        if (line.substr(0, equals) == name) return line.substr(equals + 1);
    }
    throw std::runtime_error{fmt::format("{}/env says nothing of {}; start the node with {} start {}", directory_, name,
                                         SLUICE_TEST_RABBITMQ_SCRIPT, directory_)};
}

std::string server::uri() const { return setting("SLUICE_TEST_RABBITMQ_URI"); }

std::uint16_t server::port() const {
    const auto whole = uri();
    return static_cast<std::uint16_t>(std::stoi(whole.substr(whole.rfind(':') + 1)));
}

std::string server::uri_through(std::uint16_t port) const {
    return fmt::format("amqp://guest:guest@127.0.0.1:{}/%2f", port);
}

std::string server::tls_uri() const { return setting("SLUICE_TEST_RABBITMQ_TLS_URI"); }

std::filesystem::path server::certificates() const { return setting("SLUICE_TEST_RABBITMQ_CERTIFICATES"); }

void server::control(const std::string& action) const {
    run_command(testing::shell_word(directory_ + "/control") + " " + action + " </dev/null");
}

std::string server::ctl(const std::vector<std::string>& words) const {
    std::string command = testing::shell_word(directory_ + "/control") + " ctl";
    for (const auto& word : words) command += " " + testing::shell_word(word);
    return run_command(command + " </dev/null");
}

std::string fresh_name(std::string_view prefix) {
    static std::atomic<int> count{0};
    return fmt::format("{}-{}-{}", prefix, ::getpid(), ++count);
}

}  // namespace sluice::testing::rabbitmq
