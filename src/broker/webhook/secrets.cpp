#include "broker/webhook/secrets.hpp"

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/base64.hpp"

namespace sluice::broker::webhook {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::size_t least_key_bytes = 24;
constexpr std::size_t most_key_bytes = 64;

[[noreturn]] void refuse_secret(std::size_t number, std::string_view what) {
    throw configuration_error{
        fmt::format("webhook secret {}: {}; expected whsec_ and the base64 of {} to {} bytes, for example from: "
                    "echo whsec_$(openssl rand -base64 32)",
                    number, what, least_key_bytes, most_key_bytes)};
}

std::string read_secret(std::string_view text, std::size_t number) {
    if (text.starts_with("v1,")) refuse_secret(number, "the v1, before it belongs to signatures: take it away");
    if (text.starts_with("whsk_") || text.starts_with("whpk_")) {
        refuse_secret(number, "it is a key for asymmetric signatures, which are not made here");
    }
    if (!text.starts_with(secret_prefix)) {
        refuse_secret(number, "it does not begin with whsec_: write that before it when it is base64");
    }
    std::string key;
    try {
        key = base::base64_decode(text.substr(secret_prefix.size()));
    } catch (const decode_error&) {
        refuse_secret(number, "what stands behind whsec_ is not base64 with its padding");
    }
    if (key.size() < least_key_bytes || key.size() > most_key_bytes) {
        refuse_secret(number, fmt::format("it has {} bytes", key.size()));
    }
    return key;
}

}  // namespace

signing_keys read_secrets(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    signing_keys keys;
    for (;;) {
        const auto begin = text.find_first_not_of(blanks);
        if (begin == std::string_view::npos) return keys;
        text.remove_prefix(begin);
        const auto secret = text.substr(0, text.find_first_of(blanks));
        keys.push_back(read_secret(secret, keys.size() + 1));
        text.remove_prefix(secret.size());
    }
}

}  // namespace sluice::broker::webhook
