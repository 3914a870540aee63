#include "broker/rabbitmq/endpoint.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/address_text.hpp"

namespace sluice::broker::rabbitmq {
namespace {

constexpr std::uint16_t tls_port = 5671;
/// What the protocol's short texts hold.
constexpr std::size_t longest_vhost = 255;

[[noreturn]] void refuse_uri(std::string_view what) {
    throw configuration_error{fmt::format(
        "rabbitmq URI: {}; expected amqp://[user:password@]host[:port][/vhost] or amqps://…, with special characters "
        "written as %XX (the virtual host / as %2f)",
        what)};
}

void read_authority(endpoint& into, std::string_view text) {
    const auto hosts = base::read_hosts(text);
    const auto& [host, port] = hosts.front();
    if (!host.empty()) into.host = host;
    if (hosts.size() > 1 || into.host.find_first_of(", ") != std::string::npos) {
        refuse_uri("it names more than one host");
    }
    if (!port) return;
    const auto number = base::read_port(*port);
    if (!number) refuse_uri("the port must be a whole number from 1 to 65535");
    into.port = *number;
}

void read_vhost(endpoint& into, std::string_view path) {
    if (path.size() < 2) return;
    path.remove_prefix(1);
    if (path.find('/') != std::string_view::npos) refuse_uri("the virtual host has a / that is not written as %2f");
    into.vhost = base::percent_decoded(path);
    if (into.vhost.size() > longest_vhost) refuse_uri("the virtual host is longer than 255 bytes");
}

void read_parameters(endpoint& into, std::string_view query) {
    for (const auto& [key, value] : base::read_query(query)) {
        if (key == "cacertfile") {
            into.trust.ca_file = value;
        } else if (key == "certfile") {
            into.trust.certificate_file = value;
        } else if (key == "keyfile") {
            into.trust.key_file = value;
        } else if (key == "verify" && (value == "verify_peer" || value == "verify_none")) {
            into.trust.verify = value == "verify_peer";
        } else {
            // Its name is not shown: behind an unencoded character it may be the rest of a password.
            refuse_uri(
                "a parameter is not known (known: cacertfile, certfile, keyfile, and verify=verify_peer or "
                "verify_none)");
        }
    }
}

}  // namespace

std::string endpoint::name() const {
    return fmt::format("{}:{}{}{}", base::bracketed(host), port, vhost.starts_with('/') ? "" : "/", vhost);
}

endpoint parse_uri(const std::string& uri, net::tls_trust trust) {
    const auto parts = base::read_uri(uri);
    if (!parts) refuse_uri("it can be read in more than one way, or has no scheme");
    if (parts->scheme != "amqp" && parts->scheme != "amqps") refuse_uri("the scheme is neither amqp nor amqps");
    endpoint result;
    result.trust = std::move(trust);
    result.tls = parts->scheme == "amqps";
    if (result.tls) result.port = tls_port;
    read_authority(result, parts->authority);
    if (!parts->user.empty()) {
        if (!parts->password) refuse_uri("a user is named without a password");
        result.user = base::percent_decoded(parts->user);
        result.password = base::percent_decoded(*parts->password);
    }
    read_vhost(result, parts->path);
    read_parameters(result, parts->query);
    return result;
}

}  // namespace sluice::broker::rabbitmq
