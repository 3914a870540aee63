#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sluice/time.hpp>

namespace sluice::base {

/// A certificate as far as its time is concerned.
struct certificate_times {
    std::string subject{};  ///< one line: `CN = shop.example`
    date_time valid_from;
    date_time valid_to;
    bool is_authority = false;  ///< may sign others
};

/// What the PEM blocks of a file are.
struct pem_contents {
    std::vector<certificate_times> certificates{};
    bool holds_private_key = false;
};

/// Reads certificates and tells whether a private key is among them; the key itself is not read. Nothing when the file
/// cannot be opened or read. A file without a PEM block has neither; a certificate that cannot be understood is left
/// out.
[[nodiscard]] std::optional<pem_contents> read_pem_file(const std::filesystem::path& file);

}  // namespace sluice::base
