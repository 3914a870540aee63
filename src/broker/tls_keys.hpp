#pragma once

/// The keys of `[brokers.NAME]` that set a net::tls_trust, for adapters whose options have one called `tls`:
///
///     option_table{}.…(…).with(tls_files).with(tls_verify)
namespace sluice::broker {

inline constexpr auto tls_files = [](auto& table) {
    table
        .file(
            "tls_ca_file", [](auto& of) -> auto& { return of.tls.ca_file; },
            "PEM file with the certificate authorities to trust")
        .file(
            "tls_certificate_file", [](auto& of) -> auto& { return of.tls.certificate_file; },
            "PEM file with the client certificate")
        .file(
            "tls_key_file", [](auto& of) -> auto& { return of.tls.key_file; },
            "PEM file with the key of the client certificate");
};

inline constexpr auto tls_verify = [](auto& table) {
    table.flag(
        "tls_verify", [](auto& of) -> auto& { return of.tls.verify; },
        "Whether the server's certificate must be trusted and name the host");
};

}  // namespace sluice::broker
