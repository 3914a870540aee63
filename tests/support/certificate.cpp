#include "support/certificate.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <memory>
#include <stdexcept>

namespace sluice::testing {

namespace {

struct freer {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const noexcept { X509_EXTENSION_free(extension); }
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};

void require(bool is_so) {
    if (!is_so) throw std::runtime_error{"OpenSSL could not make a certificate"};
}

void set_time(ASN1_TIME* at, date_time to) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(duration{to.micros()});
    require(ASN1_TIME_set(at, seconds.count()) != nullptr);
}

}  // namespace

std::string make_certificate(const certificate_terms& terms) {
    const std::unique_ptr<EVP_PKEY, freer> key{EVP_EC_gen("P-256")};
    const std::unique_ptr<X509, freer> certificate{X509_new()};
    require(key && certificate);
    X509* const made = certificate.get();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
    set_time(X509_getm_notBefore(made), terms.valid_from);
    set_time(X509_getm_notAfter(made), terms.valid_to);
    X509_NAME* const name = X509_get_subject_name(made);
    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(terms.name.c_str()), -1, -1, 0) == 1);
    X509_set_issuer_name(made, name);
    X509_set_pubkey(made, key.get());
    const std::unique_ptr<X509_EXTENSION, freer> constraints{
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, terms.is_authority ? "CA:TRUE" : "CA:FALSE")};
    require(constraints && X509_add_ext(made, constraints.get(), -1) == 1);
    require(X509_sign(made, key.get(), EVP_sha256()) > 0);
    const std::unique_ptr<BIO, freer> text{BIO_new(BIO_s_mem())};
    require(text && PEM_write_bio_X509(text.get(), made) == 1);
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(text.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace sluice::testing
