#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::config {

/// What somebody may do in the web console. Each may do what those before it may.
enum class console_role {
    none,      ///< log in
    viewer,    ///< look at everything that is not redacted
    operating  ///< act: retry, replay, pause, send; the word is `operator`
};

/// `none`, `viewer`, `operator`.
[[nodiscard]] const char* to_string(console_role role) noexcept;

/// `[console.users]`: somebody with a password.
struct console_user {
    console_role role = console_role::viewer;
    std::string password_hash{};  ///< of crypt(3): `$y$j9T$…`; never shown
};

/// `[console.tokens]`: a program with a bearer token.
struct console_token {
    console_role role = console_role::viewer;
    std::string sha256{};  ///< of the token, in lower-case hexadecimal digits; never shown
};

/// `[console.proxy]`: a proxy that has logged people in and names them in a header.
struct console_proxy {
    std::vector<std::string> addresses{};  ///< of the proxies; empty: none is trusted
    std::string header = "x-forwarded-user";
    std::vector<std::string> operators{};  ///< names
    std::vector<std::string> viewers{};    ///< names; `*`: everybody whom the proxy names
};

/// `[console.redact]`
struct console_redaction {
    /// The lowest role that sees payloads; empty: nobody does.
    std::optional<console_role> payloads{console_role::viewer};
    std::vector<std::string> fields{};  ///< names of members whose values nobody sees: `email`, `card.number`
};

/// `[console]`. Kept apart from `configuration`, so that only the console has the hashes.
struct console_settings {
    std::optional<bool> enabled{};  ///< in `sluice server`; none: where it can be opened safely
    std::string host = "127.0.0.1";
    int port = 8090;                   ///< of `sluice console`; 0: any free one
    std::vector<std::string> hosts{};  ///< further names under which browsers know it
    /// Whether anybody may look who comes from this machine; none: as long as there is no way to log in.
    std::optional<bool> anonymous{};
    bool send_commands = false;
    double session_hours = 12;
    double idle_minutes = 60;
    std::map<std::string, console_user> users{};
    std::map<std::string, console_token> tokens{};
    console_proxy proxy{};
    console_redaction redact{};

    /// True when there is a way to prove who one is.
    [[nodiscard]] bool has_authentication() const noexcept {
        return !users.empty() || !tokens.empty() || !proxy.addresses.empty();
    }
};

}  // namespace sluice::config
