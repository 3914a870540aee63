#include "support/postgresql_server.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "support/server_log.hpp"

namespace sluice::testing::postgresql {
namespace {

void run_script(const std::string& action, const std::string& directory) {
    const auto command = SLUICE_TEST_POSTGRES_SCRIPT " " + action + " '" + directory + "'";
    if (std::system(command.c_str()) != 0) throw std::runtime_error{command + " failed"};
}

using answer = std::unique_ptr<PGresult, decltype([](PGresult* r) { PQclear(r); })>;

}  // namespace

struct session::handle {
    std::unique_ptr<PGconn, decltype([](PGconn* c) { PQfinish(c); })> connection;

    [[nodiscard]] answer run(const std::string& sql) const {
        answer got{PQexec(connection.get(), sql.c_str())};
        const auto status = PQresultStatus(got.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            throw std::runtime_error{sql + ": " + PQerrorMessage(connection.get())};
        }
        return got;
    }
};

server server::shared() {
    server one{SLUICE_TEST_POSTGRES_DIRECTORY};
    if (std::filesystem::exists(one.directory_ + "/env")) show_on_failure(one.setting("SLUICE_TEST_POSTGRES_LOG"));
    return one;
}

server server::own() {
    auto place = std::make_unique<temporary_directory>();
    server one{place->path().string()};
    one.temporary_ = std::move(place);
    run_script("start", one.directory_);
    show_on_failure(one.setting("SLUICE_TEST_POSTGRES_LOG"));
    return one;
}

server::~server() {
    if (temporary_ != nullptr) run_script("stop", directory_);
}

std::string server::setting(std::string_view name) const {
    std::ifstream file{directory_ + "/env"};
    for (std::string line; std::getline(file, line);) {
        if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == '=') {
            return line.substr(name.size() + 1);
        }
    }
    throw std::runtime_error{
        "there is no " + std::string{name} +
        "; ctest starts the server by itself, by hand it is: " SLUICE_TEST_POSTGRES_SCRIPT " start " + directory_};
}

std::string server::uri() const { return setting("SLUICE_TEST_POSTGRES_URI"); }

std::string server::pooler_uri() const { return setting("SLUICE_TEST_PGBOUNCER_URI"); }

std::uint16_t server::port() const {
    const auto address = uri();
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

void server::control(const std::string& action) const {
    const auto command = "'" + setting("SLUICE_TEST_POSTGRES_CONTROL") + "' " + action;
    if (std::system(command.c_str()) != 0) throw std::runtime_error{command + " failed"};
}

std::string through_port(const std::string& uri, std::uint16_t port) {
    const auto colon = uri.rfind(':');
    return uri.substr(0, colon + 1) + std::to_string(port) + uri.substr(uri.find('/', colon));
}

std::string fresh_schema() {
    static std::atomic<int> count = 0;
    return "test_" + std::to_string(::getpid()) + "_" + std::to_string(++count);
}

own_database::own_database() { session{}.execute("CREATE DATABASE " + name_); }

own_database::~own_database() {
    try {
        session{}.execute("DROP DATABASE " + name_ + " WITH (FORCE)");
    } catch (const std::exception& trouble) {
        std::fputs(trouble.what(), stderr);
    }
}

std::string own_database::uri() const {
    const auto shared = postgresql::uri();
    return shared.substr(0, shared.rfind('/') + 1) + name_;
}

session::session(const std::string& to) : handle_{std::make_unique<handle>()} {
    handle_->connection.reset(PQconnectdb(to.c_str()));
    if (PQstatus(handle_->connection.get()) != CONNECTION_OK) {
        throw std::runtime_error{PQerrorMessage(handle_->connection.get())};
    }
    PQsetNoticeProcessor(
        handle_->connection.get(), [](void*, const char*) {}, nullptr);
}

session::session(session&&) noexcept = default;
session& session::operator=(session&&) noexcept = default;
session::~session() = default;

void session::execute(const std::string& sql) { static_cast<void>(handle_->run(sql)); }

std::string session::scalar(const std::string& sql) {
    const auto all = column(sql);
    return all.empty() ? "" : all.front();
}

std::vector<std::string> session::column(const std::string& sql) {
    const auto got = handle_->run(sql);
    std::vector<std::string> all;
    for (int row = 0; row < PQntuples(got.get()); ++row) all.emplace_back(PQgetvalue(got.get(), row, 0));
    return all;
}

bool session::notified() {
    PQconsumeInput(handle_->connection.get());
    bool any = false;
    while (auto* const one = PQnotifies(handle_->connection.get())) {
        PQfreemem(one);
        any = true;
    }
    return any;
}

}  // namespace sluice::testing::postgresql
