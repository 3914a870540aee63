#pragma once

#include <string>
#include <string_view>

#include "net/dial.hpp"

namespace sluice::broker::webhook {

/// What is wrong with connecting to this address when only the public internet is meant: `loopback`, `private network`,
/// `link-local (cloud metadata lives there)`. Empty when nothing is. The bytes are judged and not a spelling, so that
/// no form of an address passes that another one would not. Of an address that leads to an IPv4 address
/// (`::ffff:127.0.0.1`, NAT64) that one counts. Pure.
[[nodiscard]] std::string_view why_not_public(const net::socket_address& address);

/// The address for people: `10.0.0.1`, `::1`. Without the port.
[[nodiscard]] std::string address_text(const net::socket_address& address);

}  // namespace sluice::broker::webhook
