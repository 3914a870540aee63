#include "config/console_section.hpp"

#include <fmt/format.h>

#include <string_view>

#include "base/names.hpp"
#include "config/file_name.hpp"

namespace sluice::config {

namespace {

constexpr std::string_view digits_of_hexadecimal = "0123456789abcdef";

/// Names end up in the log and in commands.
bool is_name(std::string_view name) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@";
    constexpr std::size_t longest = 100;
    return !name.empty() && name.size() <= longest && name.find_first_not_of(allowed) == std::string_view::npos;
}

void require_name(const section& all, const std::string& name) {
    if (!is_name(name)) all.report(name, "is no name", "use letters, digits, _, -, . and @, at most 100");
}

void read_role(section& in, console_role& role) {
    static const std::vector<std::string> words{"viewer", "operator"};
    std::string word = words.front();
    in.choice("role", word, words);
    role = word == "operator" ? console_role::operating : console_role::viewer;
}

void read_tls(section& in, const std::filesystem::path& base_directory, console_tls_settings& tls) {
    constexpr const char* certificate = "tls_certificate_file";
    constexpr const char* key = "tls_key_file";
    read_file_name(in, certificate, base_directory, tls.certificate_file);
    read_file_name(in, key, base_directory, tls.key_file);
    if (tls.certificate_file.empty() == tls.key_file.empty()) return;
    const bool has_key = tls.certificate_file.empty();
    in.report(has_key ? key : certificate, fmt::format("is set without {}", has_key ? certificate : key),
              "set both, or none");
}

void read_users(section users, console_settings& settings) {
    for (auto& [name, in] : users.all_below()) {
        require_name(users, name);
        console_user user;
        read_role(in, user.role);
        in.text("password", user.password_hash, sensitivity::secret);
        // Not by name: libxcrypt knows more methods than would be wise to list here.
        if (!user.password_hash.starts_with('$')) {
            in.report("password", in.has("password") ? "is no hash of a password" : "is missing",
                      fmt::format("`sluice console password {}` prints the line", name));
        }
        in.refuse_unknown();
        settings.users[name] = std::move(user);
    }
    users.refuse_unknown();
}

void read_tokens(section tokens, console_settings& settings) {
    constexpr std::size_t digits = 64;
    for (auto& [name, in] : tokens.all_below()) {
        require_name(tokens, name);
        console_token token;
        read_role(in, token.role);
        in.text("sha256", token.sha256, sensitivity::secret);
        if (token.sha256.size() != digits ||
            token.sha256.find_first_not_of(digits_of_hexadecimal) != std::string::npos) {
            in.report("sha256", in.has("sha256") ? "is no SHA-256 of a token" : "is missing",
                      fmt::format("`sluice console token {}` prints a token and the line", name));
        }
        in.refuse_unknown();
        settings.tokens[name] = std::move(token);
    }
    tokens.refuse_unknown();
}

void read_proxy(section in, console_proxy& proxy) {
    in.texts("addresses", proxy.addresses);
    in.text("header", proxy.header);
    in.texts("operators", proxy.operators);
    in.texts("viewers", proxy.viewers);
    in.refuse_unknown();
    proxy.header = base::lower(proxy.header);
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
    if (proxy.header.empty() || proxy.header.find_first_not_of(allowed) != std::string::npos) {
        in.report("header", "is no name of a header", "use letters, digits and -");
    }
    for (const char* key : {"operators", "viewers"}) {
        if (in.has(key) && proxy.addresses.empty()) {
            in.report(key, "names people, and no proxy is trusted", "add the proxy's address to addresses");
        }
    }
    if (!proxy.addresses.empty() && proxy.operators.empty() && proxy.viewers.empty()) {
        in.report("addresses", "trusts a proxy, and whom it names may do nothing",
                  R"(add operators = ["anna"] or viewers = ["*"])");
    }
}

void read_redaction(section in, console_redaction& redact) {
    static const std::vector<std::string> words{"viewer", "operator", "nobody"};
    std::string payloads = words.front();
    in.choice("payloads", payloads, words);
    if (payloads == "nobody") {
        redact.payloads.reset();
    } else {
        redact.payloads = payloads == "operator" ? console_role::operating : console_role::viewer;
    }
    in.texts("fields", redact.fields);
    in.refuse_unknown();
}

}  // namespace

const char* to_string(console_role role) noexcept {
    switch (role) {
        case console_role::none:
            return "none";
        case console_role::viewer:
            return "viewer";
        case console_role::operating:
            break;
    }
    return "operator";
}

void read_console(section console, const std::filesystem::path& base_directory, console_settings& settings,
                  console_tls_settings& tls) {
    console.flag("enabled", settings.enabled);
    console.text("host", settings.host);
    constexpr std::int64_t most_ports = 65'535;
    console.whole("port", settings.port, 0, most_ports);
    console.texts("hosts", settings.hosts);
    console.flag("anonymous", settings.anonymous);
    console.flag("send_commands", settings.send_commands);
    console.number("session_hours", settings.session_hours, 0.01, 720);
    console.number("idle_minutes", settings.idle_minutes, 0.1, 43'200);
    read_tls(console, base_directory, tls);
    read_users(console.below("users"), settings);
    read_tokens(console.below("tokens"), settings);
    read_proxy(console.below("proxy"), settings.proxy);
    read_redaction(console.below("redact"), settings.redact);
    console.refuse_unknown();
}

}  // namespace sluice::config
