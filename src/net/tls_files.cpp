#include "net/tls_files.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <sluice/error.hpp>

namespace sluice::net {

namespace {

int know_no_passphrase(char* /*into*/, int /*size*/, int /*is_for_writing*/, void* /*with*/) { return 0; }

[[noreturn]] void refuse(const char* what, const std::filesystem::path& file, const char* further = "") {
    throw configuration_error{fmt::format("TLS: cannot use {} {}: {}; it must be a readable PEM file{}", what,
                                          file.native(), openssl_reason(), further)};
}

}  // namespace

void secure(ssl_ctx_st& context) {
    SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
    SSL_CTX_set_default_passwd_cb(&context, know_no_passphrase);
}

void use_certificate(ssl_ctx_st& context, const std::filesystem::path& file) {
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(&context, file.c_str()) != 1) refuse("the certificate", file);
}

void use_key(ssl_ctx_st& context, const std::filesystem::path& file) {
    ERR_clear_error();
    if (SSL_CTX_use_PrivateKey_file(&context, file.c_str(), SSL_FILETYPE_PEM) != 1) {
        refuse("the key", file, " without a passphrase, with the key of the certificate");
    }
}

void use_authorities(ssl_ctx_st& context, const std::filesystem::path& file) {
    ERR_clear_error();
    if (SSL_CTX_load_verify_locations(&context, file.c_str(), nullptr) != 1) refuse("the authorities in", file);
}

std::string openssl_reason() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "the connection broke";
    const char* const reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : fmt::format("OpenSSL error {:#x}", code);
}

}  // namespace sluice::net
