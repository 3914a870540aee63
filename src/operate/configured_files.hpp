#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "config/check.hpp"
#include "config/configuration.hpp"

/// The files that a configuration names beside databases: certificates, keys, passwords, secrets.
namespace sluice::operate {

/// A file that a database, a broker or the telemetry reads when it connects.
struct configured_file {
    std::string element;  ///< `brokers.partner_events`
    std::string key;      ///< of the configuration, or of the address: `tls_key_file`, `sslrootcert`
    std::filesystem::path file;
};

/// Every user of this machine may read or write it.
[[nodiscard]] bool is_open_to_others(const std::filesystem::path& file);

/// Opens none of them. An address that can be read in two ways names no file.
[[nodiscard]] std::vector<configured_file> configured_files(const config::configuration& with);

/// Private keys and other secrets that every user of the machine may read or write. Certificates are no secrets.
[[nodiscard]] std::vector<config::finding> open_secrets(const std::vector<configured_file>& files);

/// Certificates that are not valid at that time, or will soon not be: when less than a quarter of their time is left
/// and less than 30 days. Of a chain the certificate counts that ends first; of a list of authorities the one that ends
/// last, since any of them may be the one that is needed. Files for certificates that cannot be read are errors.
[[nodiscard]] std::vector<config::finding> certificate_findings(const std::vector<configured_file>& files,
                                                                date_time now);

/// A digest of all that decides how an installation works: its file but for `[log]`, and the contents of the files that
/// it names. When it has changed, connections are to be made anew.
/// @throws configuration_error when the configuration cannot be read
[[nodiscard]] std::string fingerprint(const config::configuration& with);

}  // namespace sluice::operate
