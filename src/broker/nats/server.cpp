#include "broker/nats/server.hpp"

#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/one_line.hpp"
#include "net/outage.hpp"

namespace sluice::broker::nats {
namespace {

using net::outage;

constexpr std::size_t longest_reason = 200;

void expect_ok(natsStatus status, std::string_view doing) {
    if (status != NATS_OK) throw outage{fmt::format("{}: {}", doing, reason_of(status))};
}

std::int64_t milliseconds_of(duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

std::string secret_in(const std::filesystem::path& file) {
    std::ifstream from{file};
    std::string secret;
    if (!std::getline(from, secret)) throw outage{"cannot read the token in " + file.string()};
    while (!secret.empty() && (secret.back() == '\r' || secret.back() == ' ')) secret.pop_back();
    return secret;
}

void check_options(const nats_options& given, const endpoint& location) {
    const int logins = (given.credentials_file.empty() ? 0 : 1) + (given.nkey_seed_file.empty() ? 0 : 1) +
                       (given.token_file.empty() ? 0 : 1) + (location.user.empty() && location.token.empty() ? 0 : 1);
    if (logins > 1) {
        throw configuration_error{
            "nats: there is more than one way to log in; keep one of user or token in URI, token_file, "
            "credentials_file and nkey_seed_file"};
    }
    if (given.nkey.empty() != given.nkey_seed_file.empty()) {
        throw configuration_error{"nats: nkey (the public key) and nkey_seed_file belong together; set both"};
    }
    if (given.create_stream && !given.expect_stream.empty()) {
        throw configuration_error{
            "nats: create_stream makes a stream for each subject, and expect_stream wants one that is there; keep one "
            "of the two"};
    }
}

}  // namespace

std::string reason_of(natsStatus status) {
    natsStatus last = NATS_OK;
    const char* const text = nats_GetLastError(&last);
    if (last == status && text != nullptr && *text != '\0') return base::one_line(text, longest_reason);
    return base::one_line(natsStatus_GetText(status), longest_reason);
}

server::server(nats_options options) : options_{std::move(options)}, location_{parse_uri(options_.uri)} {
    check_options(options_, location_);
}

options_handle server::options_for(const endpoint::host& at, const char* name) const {
    natsOptions* made = nullptr;
    expect_ok(natsOptions_Create(&made), "no memory for a connection");
    options_handle of{made};
    const std::string url = fmt::format("{}://{}", location_.tls ? "tls" : "nats", to_string(at));
    expect_ok(natsOptions_SetURL(made, url.c_str()), "the address of " + to_string(at));
    expect_ok(natsOptions_SetName(made, name), "name");
    expect_ok(natsOptions_SetTimeout(made, milliseconds_of(options_.connect_timeout)), "connect_timeout_ms");
    // Connections are made anew by ours: the library's reconnecting would give up at some time, hold its lock while it
    // waits for a server, and keep what was given up to send it later.
    expect_ok(natsOptions_SetAllowReconnect(made, false), "reconnect");
    expect_ok(natsOptions_SetReconnectBufSize(made, 0), "reconnect buffer");
    expect_ok(natsOptions_SetIgnoreDiscoveredServers(made, true), "discovered servers");
    expect_ok(natsOptions_SetPingInterval(made, longest_server_silence.count() / 3), "ping interval");
    // The loop of the socket judges the answers; were it the library, it would close the socket under the loop.
    expect_ok(natsOptions_SetMaxPingsOut(made, std::numeric_limits<int>::max()), "pings");
    expect_ok(natsOptions_SetSendAsap(made, true), "send at once");
    add_login(made);
    if (location_.tls) add_tls(made, at);
    return of;
}

void server::add_login(natsOptions* to) const {
    if (!location_.user.empty()) {
        expect_ok(natsOptions_SetUserInfo(to, location_.user.c_str(), location_.password.c_str()), "user");
    }
    const std::string token = options_.token_file.empty() ? location_.token : secret_in(options_.token_file);
    if (!token.empty()) expect_ok(natsOptions_SetToken(to, token.c_str()), "token");
    if (!options_.credentials_file.empty()) {
        expect_ok(natsOptions_SetUserCredentialsFromFiles(to, options_.credentials_file.c_str(), nullptr),
                  "credentials_file " + options_.credentials_file.string());
    }
    if (!options_.nkey_seed_file.empty()) {
        expect_ok(natsOptions_SetNKeyFromSeed(to, options_.nkey.c_str(), options_.nkey_seed_file.c_str()),
                  "nkey_seed_file " + options_.nkey_seed_file.string());
    }
}

void server::add_tls(natsOptions* to, const endpoint::host& at) const {
    expect_ok(natsOptions_SetSecure(to, true), "TLS");
    const net::tls_trust& trust = options_.tls;
    if (!trust.ca_file.empty()) {
        expect_ok(natsOptions_LoadCATrustedCertificates(to, trust.ca_file.c_str()),
                  "tls_ca_file " + trust.ca_file.string());
    }
    if (!trust.certificate_file.empty()) {
        expect_ok(
            natsOptions_LoadCertificatesChain(to, trust.certificate_file.c_str(), trust.key_file.c_str()),
            fmt::format("tls_certificate_file {} with {}", trust.certificate_file.string(), trust.key_file.string()));
    }
    // Whether the library looks at the name by itself depends on how it was built.
    const std::string& expected = options_.tls_server_name.empty() ? at.name : options_.tls_server_name;
    expect_ok(natsOptions_SetExpectedHostname(to, expected.c_str()), "tls_server_name");
    expect_ok(natsOptions_SkipServerVerification(to, !trust.verify), "tls_verify");
}

}  // namespace sluice::broker::nats
