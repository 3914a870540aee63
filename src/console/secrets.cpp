#include "console/secrets.hpp"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <memory>

#include <sluice/error.hpp>

#include "base/hex.hpp"

namespace sluice::console {

namespace {

constexpr std::size_t secret_words = 4;

std::string random_bytes(base::random_source& random) {
    std::string bytes;
    for (std::size_t i = 0; i < secret_words; ++i) {
        const std::uint64_t word = random.next();
        for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((word >> shift) & 0xFFU);
    }
    return bytes;
}

/// Empty when libcrypt refuses.
std::string crypt_with(const std::string& password, const std::string& setting) {
    const auto data = std::make_unique<crypt_data>();  // 32 KiB
    const char* const result = crypt_rn(password.c_str(), setting.c_str(), data.get(), sizeof(crypt_data));
    return result == nullptr ? std::string{} : std::string{result};
}

}  // namespace

std::string make_secret(base::random_source& random) { return base::hex_of(random_bytes(random)); }

bool is_same(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string keyed_digest(std::string_view key, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &length) == nullptr) {
        throw error{"OpenSSL offers no HMAC with SHA-256; the console cannot protect its forms without it"};
    }
    return base::hex_of({reinterpret_cast<const char*>(digest.data()), length});
}

std::string hash_password(const std::string& password, base::random_source& random) {
    const std::string bytes = random_bytes(random);
    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
    const char* const made = crypt_gensalt_rn("$y$", 0, bytes.data(), static_cast<int>(bytes.size()), setting.data(),
                                              static_cast<int>(setting.size()));
    std::string hash = made == nullptr ? std::string{} : crypt_with(password, made);
    if (hash.empty()) throw error{"libcrypt cannot hash a password by yescrypt; install libxcrypt 4.3 or later"};
    return hash;
}

bool is_password(const std::string& password, const std::string& hash) {
    const std::string again = crypt_with(password, hash);
    return !again.empty() && again.front() != '*' && is_same(again, hash);
}

}  // namespace sluice::console
