#include "http/server_tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>

#include <sluice/error.hpp>

namespace sluice::http {

namespace {

/// Why the last call failed. Empties the queue of this thread.
std::string reason() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* const words = ERR_reason_error_string(code);
    return words != nullptr ? words : fmt::format("OpenSSL error {:#x}", code);
}

[[noreturn]] void refuse(const char* what, const std::filesystem::path& file, const char* remedy) {
    throw configuration_error{fmt::format("TLS: cannot use {} {}: {}; {}", what, file.native(), reason(), remedy)};
}

/// A service has nobody to ask.
int know_no_passphrase(char* /*into*/, int /*size*/, int /*is_for_writing*/, void* /*with*/) { return 0; }

}  // namespace

boost::asio::ssl::context make_tls(const server_certificate& certificate) {
    boost::asio::ssl::context made{boost::asio::ssl::context::tls_server};
    SSL_CTX* const context = made.native_handle();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_default_passwd_cb(context, know_no_passphrase);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context, certificate.certificate_file.c_str()) != 1) {
        refuse("the certificate", certificate.certificate_file, "it must be a readable PEM file");
    }
    if (SSL_CTX_use_PrivateKey_file(context, certificate.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
        refuse("the key", certificate.key_file,
               "it must be a readable PEM file without a passphrase, with the key of the certificate");
    }
    return made;
}

}  // namespace sluice::http
