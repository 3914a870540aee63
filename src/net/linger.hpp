#pragma once

#include <chrono>
#include <memory>

#include <boost/beast/core/tcp_stream.hpp>

namespace sluice::net {

/// How long a client may go on sending what nobody reads any more.
inline constexpr std::chrono::seconds longest_linger{5};

/// Ends a connection on which everything was said (a lingering close): says that nothing follows, and throws away what
/// the client still sends, until it ends too or its time is over.
///
/// To close at once while something unread is waiting or on its way would reset the connection, and the client might
/// lose the answer that it has not read yet (RFC 9112, section 9.6). How much it sends does not matter: a client that
/// sends a large body without a look at the answer gets to read it, too.
/// @param stream  the connection, of TLS the one below it; kept until then. Called on its thread; returns at once
/// @param within  after that it is closed whatever the client does
void linger(std::shared_ptr<boost::beast::tcp_stream> stream, std::chrono::milliseconds within = longest_linger);

}  // namespace sluice::net
