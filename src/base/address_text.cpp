#include "base/address_text.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice::base {
namespace {

constexpr std::string_view scheme_mark = "://";
constexpr const char* hidden = "(hidden)";

constexpr bool decimal(char c) { return c >= '0' && c <= '9'; }
constexpr bool latin_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool control_character(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }
constexpr bool blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr int hexadecimal_digit(char c) {
    if (decimal(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

template <class Predicate>
bool are_all(std::string_view text, Predicate holds) {
    return std::all_of(text.begin(), text.end(), holds);
}

bool is_encoded_well(std::string_view text) {
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        if (at + 2 >= text.size() || hexadecimal_digit(text[at + 1]) < 0 || hexadecimal_digit(text[at + 2]) < 0)
            return false;
    }
    return true;
}

bool is_scheme(std::string_view text) {
    return !text.empty() && latin_letter(text.front()) &&
           are_all(text, [](char c) { return latin_letter(c) || decimal(c) || c == '+' || c == '-' || c == '.'; });
}

/// `db`, `db:5432`, `[::1]:5432`, `:5432`
bool is_host_and_port(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return false;
        const auto inside = text.substr(1, end - 1);
        if (!are_all(inside, [](char c) { return hexadecimal_digit(c) >= 0 || c == ':' || c == '.'; })) return false;
        text.remove_prefix(end + 1);
        if (!text.empty() && text.front() != ':') return false;
    } else {
        const auto host = text.substr(0, text.find(':'));
        const bool plain = are_all(
            host, [](char c) { return latin_letter(c) || decimal(c) || c == '.' || c == '-' || c == '_' || c == '%'; });
        if (!plain) return false;
        text.remove_prefix(host.size());
    }
    return text.empty() || are_all(text.substr(1), decimal);
}

template <class Predicate>
bool all_pieces(std::string_view text, char separator, Predicate holds) {
    for (;;) {
        const auto end = text.find(separator);
        if (!holds(text.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 1);
    }
}

bool is_parameter(std::string_view text) {
    const auto key = text.substr(0, text.find('='));
    return !key.empty() && key.size() < text.size() &&
           are_all(key, [](char c) { return latin_letter(c) || decimal(c) || c == '_' || c == '-' || c == '.'; });
}

/// Takes `key = value` from the front of a text that begins with neither blank; false when it is none.
bool take_setting(std::string_view& rest, std::map<std::string, std::string, std::less<>>& into) {
    const auto skip_blanks = [&rest] {
        rest.remove_prefix(static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), blank) - rest.begin()));
    };
    const auto key_end = std::find_if_not(rest.begin(), rest.end(), [](char c) { return latin_letter(c) || c == '_'; });
    const std::string key{rest.begin(), key_end};
    rest.remove_prefix(key.size());
    skip_blanks();
    if (key.empty() || !rest.starts_with('=')) return false;
    rest.remove_prefix(1);
    skip_blanks();
    std::string value;
    if (rest.starts_with('\'')) {
        for (rest.remove_prefix(1); !rest.empty() && rest.front() != '\''; rest.remove_prefix(1)) {
            if (rest.front() == '\\') rest.remove_prefix(1);
            if (rest.empty()) return false;
            value += rest.front();
        }
        if (rest.empty()) return false;
        rest.remove_prefix(1);
        if (!rest.empty() && !blank(rest.front())) return false;
    } else {
        value = rest.substr(0, static_cast<std::size_t>(std::ranges::find_if(rest, blank) - rest.begin()));
        if (value.find_first_of("'\\") != std::string::npos) return false;
        rest.remove_prefix(value.size());
    }
    skip_blanks();
    return into.emplace(key, std::move(value)).second;
}

/// `db,::1` of `db:5432,[::1]:5433`
std::string hosts_alone(std::string_view authority) {
    std::string hosts;
    for (const host_and_port& each : read_hosts(authority)) hosts += each.host + ',';
    hosts.pop_back();
    return hosts;
}

}  // namespace

std::vector<host_and_port> read_hosts(std::string_view authority) {
    std::vector<host_and_port> hosts;
    for (;;) {
        const auto end = std::min(authority.find(','), authority.size());
        const auto one = authority.substr(0, end);
        const auto closing = one.starts_with('[') ? one.find(']') : std::string_view::npos;
        const auto colon = one.find(':', closing == std::string_view::npos ? 0 : closing);
        host_and_port read;
        read.host = closing == std::string_view::npos ? percent_decoded(one.substr(0, colon))
                                                      : std::string{one.substr(1, closing - 1)};
        if (colon != std::string_view::npos) read.port = one.substr(colon + 1);
        hosts.push_back(std::move(read));
        if (end == authority.size()) return hosts;
        authority.remove_prefix(end + 1);
    }
}

std::optional<std::uint16_t> read_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failure != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : '[' + host + ']'; }

std::optional<uri_parts> read_uri(std::string_view text) {
    const auto scheme_end = text.find(scheme_mark);
    if (scheme_end == std::string_view::npos) return std::nullopt;
    uri_parts parts{.scheme = text.substr(0, scheme_end)};
    std::string_view rest = text.substr(scheme_end + scheme_mark.size());
    if (!is_scheme(parts.scheme) || rest.find('#') != std::string_view::npos || !is_encoded_well(rest) ||
        std::any_of(rest.begin(), rest.end(), control_character)) {
        return std::nullopt;
    }
    const auto authority_end = std::min(rest.find_first_of("/?"), rest.size());
    parts.authority = rest.substr(0, authority_end);
    rest.remove_prefix(authority_end);
    if (rest.find('@') != std::string_view::npos) return std::nullopt;

    if (const auto at = parts.authority.find('@'); at != std::string_view::npos) {
        const auto credentials = parts.authority.substr(0, at);
        parts.authority.remove_prefix(at + 1);
        const auto colon = credentials.find(':');
        parts.user = credentials.substr(0, colon);
        if (colon != std::string_view::npos) parts.password = credentials.substr(colon + 1);
        if (credentials.find(' ') != std::string_view::npos) return std::nullopt;
    }
    if (!all_pieces(parts.authority, ',', is_host_and_port)) return std::nullopt;

    const auto path_end = std::min(rest.find('?'), rest.size());
    parts.path = rest.substr(0, path_end);
    rest.remove_prefix(path_end);
    if (rest.size() > 1) {
        parts.query = rest.substr(1);
        if (!all_pieces(parts.query, '&', is_parameter)) return std::nullopt;
    }
    return parts;
}

std::optional<std::map<std::string, std::string, std::less<>>> read_keywords(std::string_view text) {
    std::map<std::string, std::string, std::less<>> settings;
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty()) {
        if (!take_setting(text, settings)) return std::nullopt;
    }
    return settings;
}

std::map<std::string, std::string, std::less<>> read_query(std::string_view query) {
    std::map<std::string, std::string, std::less<>> parameters;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto parameter = query.substr(0, end);
        const auto equals = std::min(parameter.find('='), parameter.size());
        parameters.insert_or_assign(std::string{parameter.substr(0, equals)},
                                    percent_decoded(parameter.substr(std::min(equals + 1, parameter.size()))));
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return parameters;
}

std::optional<std::map<std::string, std::string, std::less<>>> read_settings(std::string_view address) {
    if (address.find(scheme_mark) == std::string_view::npos) return read_keywords(address);
    const auto parts = read_uri(address);
    if (!parts) return std::nullopt;
    auto settings = read_query(parts->query);
    if (!parts->authority.empty()) settings.insert_or_assign("host", hosts_alone(parts->authority));
    if (parts->password) settings.insert_or_assign("password", percent_decoded(*parts->password));
    return settings;
}

namespace {

/// @param note_lone  called for each `%` that begins no byte; it stays
template <class NoteLone>
std::string decode_percent(std::string_view text, const NoteLone& note_lone) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hexadecimal_digit(text[i + 1]) >= 0 &&
            hexadecimal_digit(text[i + 2]) >= 0) {
            decoded += static_cast<char>(hexadecimal_digit(text[i + 1]) * 16 + hexadecimal_digit(text[i + 2]));
            i += 2;
        } else {
            if (text[i] == '%') note_lone();
            decoded += text[i];
        }
    }
    return decoded;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
    return decode_percent(text, [] {});
}

std::optional<std::string> strictly_percent_decoded(std::string_view text) {
    bool is_well_formed = true;
    std::string decoded = decode_percent(text, [&] { is_well_formed = false; });
    return is_well_formed ? std::optional{std::move(decoded)} : std::nullopt;
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    constexpr std::string_view plain = "-._~/";
    std::string encoded;
    for (const char c : text) {
        if (latin_letter(c) || decimal(c) || plain.find(c) != std::string_view::npos) {
            encoded += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            encoded += {'%', digits[byte >> 4U], digits[byte & 0xFU]};
        }
    }
    return encoded;
}

bool holds_password(std::string_view address) {
    if (address.find(scheme_mark) == std::string_view::npos) {
        const auto settings = read_keywords(address);
        return settings ? settings->contains("password") : may_hold_password(address);
    }
    const auto parts = read_uri(address);
    if (!parts) return address.find_first_of("@?") != std::string_view::npos;
    return (parts->password && !parts->password->empty()) || parts->query.find("password=") != std::string_view::npos;
}

bool may_hold_password(std::string_view text) {
    if (text.find(scheme_mark) != std::string_view::npos) return true;
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && text.find('@', colon) != std::string_view::npos) return true;
    constexpr std::string_view word = "pass";
    const auto same_letter = [](char a, char b) { return (a | 0x20) == b; };
    const auto found = std::search(text.begin(), text.end(), word.begin(), word.end(), same_letter);
    return std::find(found, text.end(), '=') != text.end();
}

std::string shown_address(std::string_view text) {
    const auto scheme_end = text.find(scheme_mark);
    if (scheme_end == std::string_view::npos) {
        return text.find_first_of("=@:?; ") == std::string_view::npos ? std::string{text} : hidden;
    }
    const auto parts = read_uri(text);
    if (!parts) {
        const auto scheme = text.substr(0, scheme_end);
        return is_scheme(scheme) ? std::string{scheme}.append(scheme_mark) + hidden : hidden;
    }
    return std::string{parts->scheme}.append(scheme_mark).append(parts->authority).append(parts->path);
}

}  // namespace sluice::base
