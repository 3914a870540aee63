#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/console_settings.hpp"

/// Who may do what. Decisions without I/O.
namespace sluice::console {

using config::console_role;
using config::console_settings;

/// Somebody who asks for something.
struct principal {
    /// How it is known who that is.
    enum class proof { none, session, token, proxy };

    std::string name{};  ///< empty: nobody knows
    console_role role = console_role::none;
    proof by = proof::none;
    std::string session{};  ///< the id of a session

    /// A browser sends the proof by itself, so a page of somebody else could make it act.
    [[nodiscard]] bool is_ambient() const noexcept { return by != proof::token; }
};

/// `anonymous`, `session`, `token`, `proxy`.
[[nodiscard]] const char* to_string(principal::proof by) noexcept;

/// What of a request tells who somebody is.
struct request_facts {
    std::string_view client{};         ///< address of the other end
    std::string_view authorization{};  ///< the header
    std::string_view proxy_user{};     ///< the header that `[console.proxy]` names
    bool was_forwarded = false;        ///< it came through some proxy
    std::string_view session{};        ///< id of a living session, and whose it is
    std::string_view session_user{};
};

/// @param listening  on the loopback address
/// @returns nothing for proof that proves nothing: a token that is not known
[[nodiscard]] std::optional<principal> identify(const console_settings& settings, bool listening_on_loopback,
                                                const request_facts& facts);

/// `127.0.0.0/8`, `::1`, `localhost`.
[[nodiscard]] bool is_loopback(std::string_view host) noexcept;
/// Whether the console can be opened at an address without anybody being able to look who should not.
[[nodiscard]] bool is_safe_at(const console_settings& settings, std::string_view host) noexcept;
/// Whether `sluice server` serves the console there. @throws configuration_error when that was asked for and is not
/// safe
/// @param section  of the configuration that names the host
[[nodiscard]] bool is_wanted_at(const console_settings& settings, std::string_view host, std::string_view section);
/// @throws configuration_error naming the remedy when it is not safe
void require_safe_at(const console_settings& settings, std::string_view host, std::string_view section);

/// Whether a browser may know the console by the `Host` of a request: addresses, `localhost`, and what the
/// configuration names. A name of somebody else that leads here belongs to a page that wants to read ours (DNS
/// rebinding).
[[nodiscard]] bool is_known_host(std::string_view host_header, const std::vector<std::string>& names) noexcept;
/// Whether a request that changes something comes from a page of ours, as far as the browser tells.
/// @param origin, fetch_site  the headers `Origin` and `Sec-Fetch-Site`; empty: not sent
[[nodiscard]] bool is_same_origin(std::string_view host_header, std::string_view origin,
                                  std::string_view fetch_site) noexcept;

/// What becomes of a request.
enum class admission {
    granted,
    unknown,  ///< nobody knows who it is: log in
    too_low,  ///< the role is not enough
    not_ours  ///< it may come from a page of somebody else
};

/// @param changes  it changes something
/// @param is_from_us  it carries the token of our own forms
[[nodiscard]] admission admit(const principal& who, console_role needed, bool changes, bool is_from_us) noexcept;

}  // namespace sluice::console
