#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reading of texts that say where a server is and may hold a password. A special character that somebody forgot to
/// encode moves the border between password and host; what one library takes for the host may be half a secret. So
/// nothing of such a text may be shown until it was read here without doubt.
namespace sluice::base {

/// A URI taken apart. All parts are as written, percent-encoded; they refer to the text they were read from.
struct uri_parts {
    std::string_view scheme{};  ///< without `://`
    std::string_view user{};
    std::optional<std::string_view> password{};
    std::string_view authority{};  ///< hosts and ports, without user and password
    std::string_view path{};       ///< with its slash
    std::string_view query{};      ///< without the question mark
};

/// Nothing unless the text allows one reading only: there is at most one `@`, before the first `/` and `?`; there is no
/// `#`; every `%` is followed by two hexadecimal digits; hosts, ports and parameters look like what they are.
[[nodiscard]] std::optional<uri_parts> read_uri(std::string_view text);

/// A server among the hosts of a URI.
struct host_and_port {
    std::string host{};                      ///< decoded, without brackets; may be empty
    std::optional<std::string_view> port{};  ///< digits, or nothing of them behind a bare colon

    friend bool operator==(const host_and_port&, const host_and_port&) = default;
};

/// @param authority  of a URI that was read, `db:5432,[::1]:5433`; the ports refer to it
/// @returns at least one
[[nodiscard]] std::vector<host_and_port> read_hosts(std::string_view authority);
/// From 1 to 65535.
[[nodiscard]] std::optional<std::uint16_t> read_port(std::string_view text);
/// A host as it stands before a port: an IPv6 address gets its brackets.
[[nodiscard]] std::string bracketed(const std::string& host);

/// The settings of a text like `host=db user=me password='a b'`. Nothing when it allows a second reading: a word
/// without `=`, a key that comes twice, a quote or a backslash inside an unquoted value, text right behind a closing
/// quote.
[[nodiscard]] std::optional<std::map<std::string, std::string, std::less<>>> read_keywords(std::string_view text);

/// The settings of the address of a PostgreSQL server, in either of its forms, with `host` (`a,b` when there are
/// several) and `password` of a URI among them. Nothing when it allows a second reading.
[[nodiscard]] std::optional<std::map<std::string, std::string, std::less<>>> read_settings(std::string_view address);

/// The parameters of the query of a URI.
[[nodiscard]] std::map<std::string, std::string, std::less<>> read_query(std::string_view query);

/// The text of a part of a URI. A `%` that is not followed by two hexadecimal digits stays.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// The same where nothing may stay: nothing when a `%` is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> strictly_percent_decoded(std::string_view text);

/// The text as it may stand in any part of a URI; only letters, digits and `-._~/` stay.
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// True when an address holds a password, or may hold one because it can be read in two ways.
[[nodiscard]] bool holds_password(std::string_view address);

/// True when a text in the wrong place (a file name, a choice) may well hold a password: it looks like the address of a
/// server.
[[nodiscard]] bool may_hold_password(std::string_view text);

/// Where a text points, without user, password and query: `redis://cache:6379/0`, `data/shop.db`; `(hidden)` instead of
/// everything that allows a second reading.
[[nodiscard]] std::string shown_address(std::string_view text);

}  // namespace sluice::base
