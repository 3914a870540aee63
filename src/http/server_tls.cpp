#include "http/server_tls.hpp"

#include "net/tls_files.hpp"

namespace sluice::http {

boost::asio::ssl::context make_tls(const server_certificate& certificate) {
    boost::asio::ssl::context made{boost::asio::ssl::context::tls_server};
    net::secure(*made.native_handle());
    net::use_certificate(*made.native_handle(), certificate.certificate_file);
    net::use_key(*made.native_handle(), certificate.key_file);
    return made;
}

}  // namespace sluice::http
