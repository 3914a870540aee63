#include "broker/webhook/signature.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <vector>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <sluice/error.hpp>

#include "base/base64.hpp"

namespace sluice::broker::webhook {
namespace {

constexpr std::string_view signature_version = "v1,";
constexpr std::int64_t micros_of_a_second = 1'000'000;

struct mac_freer {
    void operator()(EVP_MAC* method) const noexcept { EVP_MAC_free(method); }
    void operator()(EVP_MAC_CTX* context) const noexcept { EVP_MAC_CTX_free(context); }
};

using digest_bytes = std::array<char, 32>;

const unsigned char* unsigned_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

digest_bytes hmac(std::string_view key, std::string_view id, std::string_view timestamp, std::string_view body) {
    static const std::unique_ptr<EVP_MAC, mac_freer> method{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
    const std::unique_ptr<EVP_MAC_CTX, mac_freer> context{method ? EVP_MAC_CTX_new(method.get()) : nullptr};
    std::array<char, 7> digest_name{"SHA256"};
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name.data(), 0), OSSL_PARAM_construct_end()};
    bool ok = context && EVP_MAC_init(context.get(), unsigned_bytes(key), key.size(), parameters.data()) == 1;
    for (const std::string_view each : {id, std::string_view{"."}, timestamp, std::string_view{"."}, body}) {
        ok = ok && EVP_MAC_update(context.get(), unsigned_bytes(each), each.size()) == 1;
    }
    digest_bytes digest{};
    std::size_t size = 0;
    ok = ok && EVP_MAC_final(context.get(), reinterpret_cast<unsigned char*>(digest.data()), &size, digest.size()) == 1;
    if (!ok || size != digest.size()) {
        throw error{"OpenSSL could not compute an HMAC; check that its default provider is loaded"};
    }
    return digest;
}

/// Seconds since 1970; nothing for what is no plain number.
std::optional<std::int64_t> read_timestamp(std::string_view text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    std::int64_t seconds = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (failure != std::errc{}) return std::nullopt;
    return seconds;
}

/// The digest of one piece of the header; nothing when it is of another version or cannot be read.
std::optional<std::string> offered_digest(std::string_view piece) {
    if (!piece.starts_with(signature_version)) return std::nullopt;
    try {
        auto digest = base::base64_decode(piece.substr(signature_version.size()));
        if (digest.size() != digest_bytes{}.size()) return std::nullopt;
        return digest;
    } catch (const decode_error&) {
        return std::nullopt;
    }
}

}  // namespace

std::string timestamp_text(date_time at) { return std::to_string(at.micros() / micros_of_a_second); }

std::string sign(std::string_view id, std::string_view timestamp, std::string_view body, const signing_keys& keys) {
    std::string text;
    for (const std::string& key : keys) {
        const auto digest = hmac(key, id, timestamp, body);
        if (!text.empty()) text += ' ';
        text.append(signature_version).append(base::base64_encode({digest.data(), digest.size()}));
    }
    return text;
}

std::optional<std::string_view> why_not_genuine(std::string_view id, std::string_view timestamp,
                                                std::string_view signature, std::string_view body,
                                                const signing_keys& keys, date_time now) {
    if (id.empty()) return "webhook-id is missing";
    const auto seconds = read_timestamp(timestamp);
    if (!seconds) return "webhook-timestamp must be whole seconds since 1970";
    const std::int64_t now_seconds = now.micros() / micros_of_a_second;
    constexpr auto tolerance = std::chrono::duration_cast<std::chrono::seconds>(clock_tolerance).count();
    if (*seconds < now_seconds - tolerance) return "webhook-timestamp is too old; check the clocks of both sides";
    if (*seconds > now_seconds + tolerance) return "webhook-timestamp is in the future; check the clocks of both sides";

    std::vector<digest_bytes> expected;
    expected.reserve(keys.size());
    for (const std::string& key : keys) expected.push_back(hmac(key, id, timestamp, body));
    constexpr std::size_t most_signatures = 16;
    std::size_t seen = 0;
    bool is_ours = false;
    while (!signature.empty() && ++seen <= most_signatures) {
        const auto piece = signature.substr(0, signature.find(' '));
        signature.remove_prefix(std::min(piece.size() + 1, signature.size()));
        const auto offered = offered_digest(piece);
        if (!offered) continue;
        for (const auto& each : expected) {
            is_ours = CRYPTO_memcmp(offered->data(), each.data(), each.size()) == 0 || is_ours;
        }
    }
    if (!is_ours) return "no signature in webhook-signature was made with a secret that is known here";
    return std::nullopt;
}

}  // namespace sluice::broker::webhook
