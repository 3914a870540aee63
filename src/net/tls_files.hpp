#pragma once

#include <filesystem>
#include <string>

struct ssl_ctx_st;  // SSL_CTX

/// What the contexts of clients and servers have in common. @throws configuration_error naming the file
namespace sluice::net {

/// TLS 1.2 and later. A key with a passphrase is an error: a service has nobody to ask, and OpenSSL would ask on the
/// terminal.
void secure(ssl_ctx_st& context);

/// A PEM file with the certificate to show, and the chain behind it.
void use_certificate(ssl_ctx_st& context, const std::filesystem::path& file);
/// A PEM file with its key; the certificate comes first.
void use_key(ssl_ctx_st& context, const std::filesystem::path& file);
/// A PEM file with the authorities to trust.
void use_authorities(ssl_ctx_st& context, const std::filesystem::path& file);

/// Why a call of OpenSSL failed: the oldest reason in this thread's queue, which is emptied.
[[nodiscard]] std::string openssl_reason();

}  // namespace sluice::net
