#include "broker/webhook/dialer.hpp"

#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "broker/webhook/address_policy.hpp"
#include "net/outage.hpp"
#include "net/tls_stream.hpp"

namespace sluice::broker::webhook {

dialer::dialer(endpoint to, net::tls_trust trust, bool allow_private, duration connect_timeout, lookup lookup_instead)
    : to_{std::move(to)},
      trust_{std::move(trust)},
      allow_private_{allow_private},
      connect_timeout_{connect_timeout},
      lookup_{std::move(lookup_instead)},
      resolver_{to_.host, to_.port} {
    if (to_.tls) static_cast<void>(net::tls_context{trust_});  // wrong files are told at once
}

std::vector<net::socket_address> dialer::find_addresses(const net::deadline& until) {
    auto found = lookup_ ? lookup_(to_.host, to_.port) : resolver_.resolve(until);
    if (allow_private_) return found;
    std::string refused;
    std::erase_if(found, [&](const net::socket_address& each) {
        const auto why = why_not_public(each);
        if (!why.empty()) refused += fmt::format("{}{} ({})", refused.empty() ? "" : ", ", address_text(each), why);
        return !why.empty();
    });
    if (found.empty()) {
        throw net::outage{fmt::format(
            "{} leads to {}, which is not of the public internet; set allow_private = true when that is meant",
            to_.host, base::one_line(refused, 200))};
    }
    return found;
}

/// Certificates and authorities are renewed while we run: each connection reads them again.
std::unique_ptr<net::byte_stream> dialer::connect(const net::deadline& until) {
    auto socket = net::connect_to(find_addresses(until), until);
    if (!to_.tls) return std::make_unique<net::socket_stream>(std::move(socket));
    return net::tls_context{trust_}.connect(std::move(socket), to_.host, until);
}

std::unique_ptr<net::byte_stream> dialer::dial(const net::deadline& until) {
    try {
        return connect(until.or_sooner(connect_timeout_));
    } catch (const error& trouble) {  // an outage, or a file that cannot be read any more
        throw net::outage{fmt::format("webhook {}: {}", to_.name(), base::one_line(trouble.what()))};
    }
}

}  // namespace sluice::broker::webhook
