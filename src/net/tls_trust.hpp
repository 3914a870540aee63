#pragma once

#include <filesystem>

namespace sluice::net {

/// What a TLS connection trusts, and which certificate it shows.
struct tls_trust {
    std::filesystem::path ca_file{};           ///< PEM; empty: the system's authorities
    std::filesystem::path certificate_file{};  ///< PEM chain that we show, when the server asks for one
    std::filesystem::path key_file{};
    bool verify = true;  ///< the server's certificate must be trusted and name the host
};

}  // namespace sluice::net
