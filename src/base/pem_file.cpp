#include "base/pem_file.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <string_view>

namespace sluice::base {

namespace {

struct freer {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};

/// A block: name, header and bytes, as OpenSSL allocates them.
struct pem_block {
    pem_block() = default;
    pem_block(const pem_block&) = delete;
    pem_block& operator=(const pem_block&) = delete;
    ~pem_block() {
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(bytes, length < 0 ? 0 : static_cast<std::size_t>(length));  // it may be a key
    }

    char* name = nullptr;
    char* header = nullptr;
    unsigned char* bytes = nullptr;
    long length = 0;
};

date_time time_of(const ASN1_TIME* from) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(from, &parts) != 1) return {};
    return date_time{std::chrono::seconds{::timegm(&parts)}};
}

std::string subject_of(const X509* certificate) {
    const std::unique_ptr<BIO, freer> text{BIO_new(BIO_s_mem())};
    if (!text) return {};
    X509_NAME_print_ex(text.get(), X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(text.get(), &bytes);
    return size > 0 ? std::string(bytes, static_cast<std::size_t>(size)) : std::string{};
}

void add_certificate(const pem_block& block, pem_contents& into) {
    const unsigned char* at = block.bytes;
    const std::unique_ptr<X509, freer> certificate{d2i_X509(nullptr, &at, block.length)};
    if (!certificate) return;
    into.certificates.push_back({.subject = subject_of(certificate.get()),
                                 .valid_from = time_of(X509_get0_notBefore(certificate.get())),
                                 .valid_to = time_of(X509_get0_notAfter(certificate.get())),
                                 .is_authority = X509_check_ca(certificate.get()) > 0});
}

}  // namespace

std::optional<pem_contents> read_pem_file(const std::filesystem::path& file) {
    ERR_clear_error();
    const std::unique_ptr<BIO, freer> from{BIO_new_file(file.c_str(), "rb")};
    if (!from) {
        ERR_clear_error();
        return std::nullopt;
    }
    pem_contents contents;
    for (;;) {
        pem_block block;
        if (PEM_read_bio(from.get(), &block.name, &block.header, &block.bytes, &block.length) != 1) break;
        const std::string_view name{block.name};
        if (name == PEM_STRING_X509 || name == PEM_STRING_X509_OLD || name == PEM_STRING_X509_TRUSTED) {
            add_certificate(block, contents);
        }
        if (name.ends_with("PRIVATE KEY")) contents.holds_private_key = true;
    }
    ERR_clear_error();
    return contents;
}

}  // namespace sluice::base
