#include "store/postgresql/server_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>
#include <vector>

#include <sluice/error.hpp>

#include "base/address_text.hpp"
#include "base/one_line.hpp"
#include "store/postgresql/failure.hpp"

namespace sluice::store::postgresql {
namespace {

struct options_closer {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};

std::map<std::string, std::string> parse(const std::string& conninfo) {
    char* complaint = nullptr;
    const std::unique_ptr<PQconninfoOption, options_closer> parsed{PQconninfoParse(conninfo.c_str(), &complaint)};
    // The complaint quotes the text, and with it perhaps the password.
    PQfreemem(complaint);
    if (parsed == nullptr) {
        throw configuration_error{
            "database_uri is no connection string of PostgreSQL; write postgresql://user@host:5432/database?key=value,"
            " with every special character of a password as %XX"};
    }
    std::map<std::string, std::string> settings;
    for (const auto* option = parsed.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) settings.emplace(option->keyword, option->val);
    }
    return settings;
}

/// libpq reads a text with an unencoded special character in one way, the author perhaps meant another. What libpq
/// takes for the name of a host or database may then be a part of the password.
bool allows_one_reading(std::string_view conninfo) {
    const bool is_uri = conninfo.find("://") != std::string_view::npos;
    return is_uri ? base::read_uri(conninfo).has_value() : base::read_keywords(conninfo).has_value();
}

std::string describe(const std::map<std::string, std::string>& settings) {
    const auto value = [&](const char* key) -> std::string {
        const auto found = settings.find(key);
        return found == settings.end() ? "" : found->second;
    };
    std::string name = "postgresql";
    if (const auto database = value("dbname"); !database.empty()) name += ' ' + database;
    auto host = value("host");
    if (host.empty()) host = value("hostaddr");
    if (host.empty()) return name;
    name += " at " + host;
    if (const auto port = value("port"); !port.empty()) name += ':' + port;
    return name;
}

}  // namespace

server_address::server_address(const postgresql_options& options, std::shared_ptr<host_lookup> lookup)
    : settings_{parse(options.conninfo)},
      lookup_{std::move(lookup)},
      may_be_shown_{allows_one_reading(options.conninfo)} {
    using namespace std::chrono_literals;
    // libpq counts whole seconds and takes less than two for two.
    const auto connect = std::max(std::chrono::ceil<std::chrono::seconds>(options.connect_timeout), 2s);
    settings_.emplace("connect_timeout", std::to_string(connect.count()));
    settings_.emplace("application_name", "sluice");
    // A peer that vanished without a word is noticed within half a minute, with or without data under way.
    settings_.emplace("tcp_user_timeout", "20000");
    settings_.emplace("keepalives_idle", "10");
    settings_.emplace("keepalives_interval", "5");
    settings_.emplace("keepalives_count", "3");
    settings_["client_encoding"] = "UTF8";
    // What libpq would take from its environment is looked up within the same bounds.
    const bool elsewhere =
        settings_.contains("host") || settings_.contains("hostaddr") || settings_.contains("service");
    if (const char* host = std::getenv("PGHOST");
        host != nullptr && !elsewhere && std::getenv("PGHOSTADDR") == nullptr) {
        settings_["host"] = host;
    }
    name_ = may_be_shown_ ? describe(settings_)
                          : "postgresql (address not shown: database_uri can be read in two ways; write every special "
                            "character of user and password as %XX, or put the value of a keyword in quotes)";
}

store_error server_address::cannot_connect(std::string_view reason) const {
    // Whatever the reason, it is no statement's fault; the text is for people, in the server's language.
    return store_error{fmt::format("cannot connect to {}: {}", name_,
                                   may_be_shown_ ? base::one_line(reason)
                                                 : "the reason is not shown either, for it quotes the address"),
                       error_nature::outage};
}

std::map<std::string, std::string> server_address::with_addresses() const {
    const auto setting = [this](const char* key) -> std::string {
        const auto found = settings_.find(key);
        return found == settings_.end() ? "" : found->second;
    };
    const auto hosts = setting("host");
    // With an address libpq looks nothing up.
    if (hosts.empty() || !setting("hostaddr").empty()) return settings_;
    const auto names = names_in(hosts);
    if (names.empty()) return settings_;

    // As long as libpq would wait for a server that does not answer.
    const std::chrono::seconds patience{std::max(std::atoi(setting("connect_timeout").c_str()), 2)};
    auto [host, hostaddr, port, failure] = resolve(hosts, setting("port"), lookup_->find(names, patience));
    if (host.empty()) throw cannot_connect(failure);
    auto result = settings_;
    result["host"] = std::move(host);
    result["hostaddr"] = std::move(hostaddr);
    if (!setting("port").empty()) result["port"] = std::move(port);
    return result;
}

connection_handle server_address::connect() const {
    const auto settings = with_addresses();
    std::vector<const char*> keys;
    std::vector<const char*> values;
    for (const auto& [key, value] : settings) {
        keys.push_back(key.c_str());
        values.push_back(value.c_str());
    }
    keys.push_back(nullptr);
    values.push_back(nullptr);
    connection_handle handle{PQconnectdbParams(keys.data(), values.data(), 0)};
    if (handle == nullptr) throw store_error{name_ + ": out of memory", error_nature::outage};
    if (PQstatus(handle.get()) != CONNECTION_OK) throw cannot_connect(PQerrorMessage(handle.get()));
    return handle;
}

}  // namespace sluice::store::postgresql
