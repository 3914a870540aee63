#pragma once

#include <boost/asio/ssl/context.hpp>

#include "http/server.hpp"

namespace sluice::http {

/// What connections of a server are made with that shows this certificate: TLS 1.2 and later. The files are not read
/// again.
/// @throws configuration_error naming the file that cannot be used
[[nodiscard]] boost::asio::ssl::context make_tls(const server_certificate& certificate);

}  // namespace sluice::http
