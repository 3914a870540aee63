#include "broker/kafka/endpoint.hpp"

#include <string_view>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/address_text.hpp"

namespace sluice::broker::kafka {
namespace {

constexpr std::string_view usual_port = "9092";

[[noreturn]] void refuse_uri(std::string_view what) {
    throw configuration_error{fmt::format(
        "kafka URI: {}; expected kafka://[user:password@]host[:port][,host[:port]…], or kafkas://… for TLS; special "
        "characters of user and password are written as %XX",
        what)};
}

std::string with_ports(std::string_view authority) {
    std::string servers;
    for (const auto& [host, port] : base::read_hosts(authority)) {
        if (host.empty()) refuse_uri("a host is empty");
        if (!servers.empty()) servers += ',';
        servers += fmt::format("{}:{}", base::bracketed(host), port.value_or(usual_port));
    }
    return servers;
}

}  // namespace

endpoint parse_uri(const std::string& uri) {
    const auto parts = base::read_uri(uri);
    if (!parts) refuse_uri("it can be read in two ways");
    if (parts->scheme != "kafka" && parts->scheme != "kafkas") refuse_uri("the scheme is not kafka or kafkas");
    if (!parts->path.empty() && parts->path != "/") refuse_uri("there is a path behind the hosts");
    if (!parts->query.empty()) refuse_uri("there are parameters behind the hosts; they have keys of their own");
    if (parts->authority.empty()) refuse_uri("it names no host");
    endpoint at{.servers = with_ports(parts->authority), .tls = parts->scheme == "kafkas"};
    at.user = base::percent_decoded(parts->user);
    if (parts->password) at.password = base::percent_decoded(*parts->password);
    if (at.user.empty() && parts->password) refuse_uri("a password is given without a user");
    if (!at.user.empty() && !parts->password) refuse_uri("a user is named without a password");
    return at;
}

}  // namespace sluice::broker::kafka
