#pragma once

#include <string>

#include <sluice/time.hpp>

namespace sluice::testing {

/// What a certificate of a test is like.
struct certificate_terms {
    std::string name;  ///< common name
    date_time valid_from;
    date_time valid_to;
    bool is_authority = false;
};

/// A self-signed certificate with a key of its own, in PEM form.
[[nodiscard]] std::string make_certificate(const certificate_terms& terms);

/// What a program takes for a private key by its form; no key.
inline constexpr const char* key_like_text = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n";

}  // namespace sluice::testing
