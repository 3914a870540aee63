#include "base/sha256.hpp"

#include "base/hex.hpp"

#include <sluice/error.hpp>

#include <openssl/evp.h>

#include <array>
#include <memory>

namespace sluice::base {
namespace {

using digest_method = std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)>;

/// Fetched once: the lookup costs more than the digest of a short text.
const EVP_MD* fetched_method() {
    static const digest_method method{EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free};
    return method.get();
}

}  // namespace

std::array<unsigned char, 32> sha256(std::string_view bytes) {
    std::array<unsigned char, 32> digest{};
    const EVP_MD* const method = fetched_method();
    if (method == nullptr || EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, method, nullptr) != 1) {
        throw error{"OpenSSL could not compute a SHA-256; check that its default provider is loaded"};
    }
    return digest;
}

std::string sha256_hex(std::string_view bytes) {
    const auto digest = sha256(bytes);
    std::string text;
    text.reserve(2 * digest.size());
    for (const unsigned char byte : digest) append_hex(text, byte, 2);
    return text;
}

}  // namespace sluice::base
