#include "broker/redis/endpoint.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/address_text.hpp"

namespace sluice::broker::redis {
namespace {

constexpr const char* expected =
    "expected redis://[user:password@]host[:port][/db], rediss://… or unix://[user:password@]/path[?db=n]";

[[noreturn]] void refuse(const std::string& what) {
    throw configuration_error{fmt::format("redis URI: {}; {}", what, expected)};
}

/// Splits at the first separator; without one everything is on the left.
std::pair<std::string_view, std::optional<std::string_view>> split(std::string_view text, char separator) {
    const auto at = text.find(separator);
    if (at == std::string_view::npos) return {text, std::nullopt};
    return {text.substr(0, at), text.substr(at + 1)};
}

std::string percent_decoded(std::string_view text, const char* part) {
    auto decoded = base::strictly_percent_decoded(text);
    if (!decoded) refuse(fmt::format("the {} has a % that is not followed by two hexadecimal digits", part));
    return *std::move(decoded);
}

template <class Number>
Number whole_number(std::string_view text, const char* part) {
    Number number{};
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{} || end != text.data() + text.size() || text.empty()) {
        refuse(fmt::format("the {} must be a whole number from 0 to {}", part, std::numeric_limits<Number>::max()));
    }
    return number;
}

void read_credentials(endpoint& into, std::string_view text) {
    const auto [user, password] = split(text, ':');
    into.user = percent_decoded(user, "user");
    if (password) into.password = percent_decoded(*password, "password");
    if (!into.user.empty() && !password) refuse("a user is named without a password");
}

void read_authority(endpoint& into, std::string_view text) {
    std::string_view port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) refuse("the IPv6 address has no closing bracket");
        into.host = text.substr(1, end - 1);
        const auto rest = text.substr(end + 1);
        if (!rest.empty() && rest.front() != ':') refuse("only :port may follow an IPv6 address");
        has_port = !rest.empty();
        if (has_port) port = rest.substr(1);
    } else {
        const auto [host, after] = split(text, ':');
        into.host = percent_decoded(host, "host");
        has_port = after.has_value();
        if (has_port) port = *after;
    }
    if (into.host.empty()) into.host = "localhost";
    if (!has_port) return;
    into.port = whole_number<std::uint16_t>(port, "port");
    if (into.port == 0) refuse("port 0 is no port");
}

void read_parameter(endpoint& into, std::string_view key, const std::string& value) {
    if (key == "db") {
        into.database = whole_number<std::uint32_t>(value, "database");
    } else if (key == "ssl_cert_reqs") {
        if (value != "required" && value != "none") refuse("ssl_cert_reqs must be required or none");
        into.trust.verify = value == "required";
    } else if (key == "ssl_ca_certs") {
        into.trust.ca_file = value;
    } else if (key == "ssl_certfile") {
        into.trust.certificate_file = value;
    } else if (key == "ssl_keyfile") {
        into.trust.key_file = value;
    } else {
        // Its name is not shown: behind an unencoded character it may be the rest of a password.
        refuse(
            "a parameter is not known (known: db, ssl_cert_reqs, ssl_ca_certs, ssl_certfile, ssl_keyfile), or a "
            "special "
            "character of the password is not written as %XX");
    }
}

void read_parameters(endpoint& into, std::string_view text) {
    std::optional<std::string_view> rest = text;
    while (rest && !rest->empty()) {
        const auto [parameter, after] = split(*rest, '&');
        const auto [key, value] = split(parameter, '=');
        read_parameter(into, key, percent_decoded(value.value_or(""), "value of a parameter"));
        rest = after;
    }
}

/// `:a/b@host`: with the slash encoded `a/b` is a password, and without it a port and a database.
void refuse_second_reading(std::string_view text) {
    const auto end = text.find_first_of("/?");
    const auto at = end == std::string_view::npos ? end : text.find('@', end);
    if (at == std::string_view::npos || text.substr(0, at).find(':') == std::string_view::npos) return;
    refuse(
        "an @ stands behind a / or ?, so that it is not clear what the password is; write special characters as %XX (@ "
        "as %40, / as %2F, ? as %3F)");
}

/// Cuts off what ends with the last @ before any slash.
std::string_view take_credentials(endpoint& into, std::string_view rest) {
    const auto at = rest.substr(0, rest.find('/')).rfind('@');
    if (at == std::string_view::npos) return rest;
    read_credentials(into, rest.substr(0, at));
    return rest.substr(at + 1);
}

}  // namespace

std::string endpoint::name() const {
    if (!path.empty()) return fmt::format("unix:{}/{}", path, database);
    return fmt::format("{}:{}/{}", base::bracketed(host), port, database);
}

endpoint parse_uri(const std::string& uri, net::tls_trust trust) {
    endpoint result;
    result.trust = std::move(trust);

    const auto scheme_end = uri.find("://");
    if (scheme_end == std::string::npos) refuse("it has no scheme");
    const auto scheme = std::string_view{uri}.substr(0, scheme_end);
    const bool socket = scheme == "unix";
    if (!socket && scheme != "redis" && scheme != "rediss") refuse("the scheme is not redis, rediss or unix");
    result.tls = scheme == "rediss";

    const auto rest = std::string_view{uri}.substr(scheme_end + 3);
    refuse_second_reading(rest);
    const auto [before, parameters] = split(rest, '?');
    const auto location = take_credentials(result, before);
    if (socket) {
        result.path = percent_decoded(location, "path");
        if (!result.path.starts_with('/')) refuse("the path of a socket must begin with a slash");
    } else {
        const auto [authority, database] = split(location, '/');
        read_authority(result, authority);
        if (database && !database->empty()) result.database = whole_number<std::uint32_t>(*database, "database");
    }
    if (parameters) read_parameters(result, *parameters);
    return result;
}

}  // namespace sluice::broker::redis
