#include "broker/nats/endpoint.hpp"

#include <string_view>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/address_text.hpp"

namespace sluice::broker::nats {
namespace {

[[noreturn]] void refuse_address(std::string_view what) {
    throw configuration_error{fmt::format(
        "nats URI: {}; expected nats://[user:password@]host[:port][,host[:port]…], nats://token@host or tls://…",
        what)};
}

endpoint::host to_host(const base::host_and_port& read) {
    endpoint::host at{.name = read.host.empty() ? "localhost" : read.host};
    if (!read.port) return at;
    const auto port = base::read_port(*read.port);
    if (!port) refuse_address("a port must be a whole number from 1 to 65535");
    at.port = *port;
    return at;
}

}  // namespace

std::string to_string(const endpoint::host& of) { return fmt::format("{}:{}", base::bracketed(of.name), of.port); }

std::string endpoint::name() const {
    std::string all;
    for (const host& each : hosts) {
        if (!all.empty()) all += ',';
        all += to_string(each);
    }
    return all;
}

endpoint parse_uri(const std::string& uri) {
    const auto parts = base::read_uri(uri);
    if (!parts) {
        refuse_address(
            "it can be read in two ways; write special characters of user, password and token as %XX (@ as %40, / as "
            "%2F, : as %3A)");
    }
    if (parts->scheme != "nats" && parts->scheme != "tls") refuse_address("the scheme is not nats or tls");
    if (parts->path.size() > 1 || !parts->query.empty()) refuse_address("nothing may follow the hosts");

    endpoint result{.tls = parts->scheme == "tls"};
    if (parts->password) {
        result.user = base::percent_decoded(parts->user);
        result.password = base::percent_decoded(*parts->password);
    } else {
        result.token = base::percent_decoded(parts->user);
    }
    for (const auto& each : base::read_hosts(parts->authority)) result.hosts.push_back(to_host(each));
    return result;
}

}  // namespace sluice::broker::nats
