#include "config/address_check.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "base/address_text.hpp"

namespace sluice::config {

namespace {

/// One database or broker on a server.
struct server_entry {
    std::string section;  ///< brokers.partner_events
    std::string key;      ///< URI
    std::string address;  ///< may hold a password
    const std::map<std::string, std::string>& options;
};

using settings_map = std::map<std::string, std::string, std::less<>>;

std::string setting(const settings_map& settings, std::string_view key) {
    const auto at = settings.find(key);
    return at == settings.end() ? std::string{} : at->second;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    for (;;) {
        const auto end = text.find(',');
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

/// `db` of `db:5432`, `::1` of `[::1]:5432`
std::string host_of(std::string_view host_and_port) {
    if (host_and_port.starts_with('[')) return std::string{host_and_port.substr(1, host_and_port.find(']') - 1)};
    return base::percent_decoded(host_and_port.substr(0, host_and_port.find(':')));
}

/// A socket, or this machine: nobody listens in between.
bool is_near(std::string_view host) {
    return host.empty() || host.starts_with('/') || host.starts_with('@') || host == "localhost" || host == "::1" ||
           (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::vector<std::string> far_hosts(const std::vector<std::string>& hosts) {
    std::vector<std::string> far;
    std::ranges::copy_if(hosts, std::back_inserter(far), [](const std::string& host) { return !is_near(host); });
    return far;
}

finding warning(const server_entry& of, const char* code, std::string message, std::string remedy) {
    return {.level = severity::warning,
            .code = code,
            .element = of.section,
            .message = of.section + ": " + std::move(message),
            .remedy = std::move(remedy)};
}

finding ambiguous(const server_entry& of) {
    return warning(
        of, "AMBIGUOUS_ADDRESS", of.key + " can be read in two ways, so neither it nor errors of the server are shown",
        "write every special character of user and password as %XX (@ as %40, / as %2F, ? as %3F, # as %23, % "
        "as %25), or put the values of a key=value list in single quotes");
}

finding plain_text(const server_entry& of, const std::string& host, bool password, std::string remedy) {
    return warning(of, "PLAIN_TEXT",
                   (password ? "the password and all messages may go" : "all data may go") + std::string{" to "} +
                       host + " without encryption",
                   std::move(remedy));
}

finding unverified(const server_entry& of, const std::string& how, std::string remedy) {
    return warning(of, "UNVERIFIED_SERVER",
                   how + " encrypts, but does not check who answers: anybody on the way can read everything",
                   std::move(remedy));
}

void check_postgresql(const server_entry& of, std::vector<finding>& found) {
    const auto settings = base::read_settings(of.address);
    if (!settings) return found.push_back(ambiguous(of));
    auto hosts = split_list(setting(*settings, "host"));
    if (hosts.size() == 1 && hosts.front().empty()) hosts = split_list(setting(*settings, "hostaddr"));
    const auto far = far_hosts(hosts);
    if (far.empty()) return;
    const std::string mode = setting(*settings, "sslmode");
    const std::string remedy =
        "add sslmode=verify-full, and sslrootcert=FILE when the authority is not one of the system's";
    if (mode == "verify-full") return;
    if (mode == "require" || mode == "verify-ca") {
        const std::string how = "sslmode=" + mode + " to " + far.front();
        return found.push_back(mode == "require"
                                   ? unverified(of, how, remedy)
                                   : warning(of, "UNVERIFIED_SERVER",
                                             how + " takes every certificate of the authority, whatever host it is for",
                                             remedy));
    }
    found.push_back(plain_text(of, far.front(), settings->contains("password"), remedy));
}

void check_redis(const server_entry& of, std::vector<finding>& found) {
    const auto parts = base::read_uri(of.address);
    if (!parts) return found.push_back(ambiguous(of));
    if (parts->scheme == "unix") return;
    const std::string host = host_of(parts->authority);
    if (parts->scheme == "rediss") {
        const auto verify = of.options.find("tls_verify");
        const std::string by_uri = setting(base::read_query(parts->query), "ssl_cert_reqs");
        const bool off = by_uri.empty() ? verify != of.options.end() && verify->second == "false" : by_uri == "none";
        if (off) {
            found.push_back(unverified(of, by_uri.empty() ? "tls_verify = false" : "ssl_cert_reqs=none",
                                       "remove it, and name the authority with tls_ca_file = \"FILE\""));
        }
        return;
    }
    if (parts->password && !is_near(host)) {
        found.push_back(plain_text(of, host, true, "use rediss:// and a port of the server with TLS"));
    }
}

bool holds_control_character(const server_entry& of) {
    return std::ranges::any_of(of.address, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

finding control_character(const server_entry& of) {
    return warning(of, "CONTROL_CHARACTER", of.key + " holds a line break or another control character",
                   "look at the values of its ${…}: a secret that was read from a file often ends with a "
                   "newline; remove it there, or write it as %0A when it belongs to the secret");
}

}  // namespace

void check_addresses(const configuration& with, std::vector<finding>& found) {
    for (const auto& [name, database] : with.databases) {
        const server_entry of{"databases." + name, "database_uri", database.database_uri, database.options};
        if (holds_control_character(of)) {
            found.push_back(control_character(of));
        } else if (database.provider == "postgresql") {
            check_postgresql(of, found);
        }
    }
    for (const auto& [name, broker] : with.brokers) {
        const server_entry of{"brokers." + name, "URI", broker.uri, broker.options};
        if (holds_control_character(of)) {
            found.push_back(control_character(of));
        } else if (broker.provider == "redis") {
            check_redis(of, found);
        }
    }
}

}  // namespace sluice::config
