#include "console/access.hpp"

#include <algorithm>

#include <sluice/error.hpp>

#include "base/names.hpp"
#include "base/sha256.hpp"
#include "console/secrets.hpp"

namespace sluice::console {

namespace {

constexpr std::string_view bearer = "Bearer ";

bool names(const std::vector<std::string>& list, std::string_view name) {
    return std::ranges::find(list, name) != list.end();
}

/// The address of an IPv4 client as an IPv6 socket gives it counts as that of IPv4.
std::string_view plain_address(std::string_view address) noexcept {
    constexpr std::string_view mapped = "::ffff:";
    if (address.starts_with(mapped)) address.remove_prefix(mapped.size());
    return address;
}

std::optional<principal> by_token(const console_settings& settings, std::string_view header) {
    if (header.size() < bearer.size() || !base::is_same_but_for_case(header.substr(0, bearer.size()), bearer))
        return std::nullopt;
    const std::string digest = base::sha256_hex(header.substr(bearer.size()));
    std::optional<principal> found;
    for (const auto& [name, token] : settings.tokens) {
        if (is_same(digest, token.sha256)) {
            found = principal{.name = name, .role = token.role, .by = principal::proof::token};
        }
    }
    return found;
}

principal by_proxy(const config::console_proxy& proxy, std::string_view user) {
    principal who{.name = std::string{user}, .by = principal::proof::proxy};
    if (names(proxy.operators, user)) {
        who.role = console_role::operating;
    } else if (names(proxy.viewers, user) || names(proxy.viewers, "*")) {
        who.role = console_role::viewer;
    }
    return who;
}

/// Without the port; of an IPv6 address without its brackets.
std::string_view name_in(std::string_view host) noexcept {
    if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
    return host.substr(0, host.find(':'));
}

bool is_address(std::string_view name) noexcept {
    if (name.find(':') != std::string_view::npos) {
        return name.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
    }
    return !name.empty() && name.find_first_not_of("0123456789.") == std::string_view::npos;
}

}  // namespace

const char* to_string(principal::proof by) noexcept {
    switch (by) {
        case principal::proof::session:
            return "session";
        case principal::proof::token:
            return "token";
        case principal::proof::proxy:
            return "proxy";
        case principal::proof::none:
            break;
    }
    return "anonymous";
}

std::optional<principal> identify(const console_settings& settings, bool listening_on_loopback,
                                  const request_facts& facts) {
    if (!facts.authorization.empty()) return by_token(settings, facts.authorization);
    if (!facts.proxy_user.empty() && names(settings.proxy.addresses, plain_address(facts.client))) {
        return by_proxy(settings.proxy, facts.proxy_user);
    }
    if (!facts.session.empty()) {
        const auto user = settings.users.find(std::string{facts.session_user});
        if (user != settings.users.end()) {
            return principal{.name = user->first,
                             .role = user->second.role,
                             .by = principal::proof::session,
                             .session = std::string{facts.session}};
        }
    }
    principal who;
    const bool is_near = listening_on_loopback && is_loopback(plain_address(facts.client)) && !facts.was_forwarded;
    if (is_near && settings.anonymous.value_or(!settings.has_authentication())) who.role = console_role::viewer;
    return who;
}

bool is_loopback(std::string_view host) noexcept {
    if (base::is_same_but_for_case(host, "localhost") || host == "::1") return true;
    return host.starts_with("127.") && is_address(host);
}

bool is_safe_at(const console_settings& settings, std::string_view host) noexcept {
    return is_loopback(host) || settings.has_authentication();
}

void require_safe_at(const console_settings& settings, std::string_view host, std::string_view section) {
    if (is_safe_at(settings, host)) return;
    throw configuration_error{
        "the console would listen on " + std::string{host} + " (" + std::string{section} +
        ".host), where others can reach it, and nobody could prove who they are; add [console.users] (`sluice console "
        "password NAME` prints the line), [console.tokens] (`sluice console token NAME`) or [console.proxy], or listen "
        "on 127.0.0.1"};
}

bool is_wanted_at(const console_settings& settings, std::string_view host, std::string_view section) {
    if (!settings.enabled.value_or(true)) return false;
    if (settings.enabled) require_safe_at(settings, host, section);
    return is_safe_at(settings, host);
}

bool is_known_host(std::string_view host_header, const std::vector<std::string>& names) noexcept {
    const std::string_view name = name_in(host_header);
    if (is_address(name) || base::is_same_but_for_case(name, "localhost")) return true;
    return std::ranges::any_of(names,
                               [name](const std::string& each) { return base::is_same_but_for_case(each, name); });
}

bool is_same_origin(std::string_view host_header, std::string_view origin, std::string_view fetch_site) noexcept {
    if (!fetch_site.empty() && fetch_site != "same-origin") return false;
    if (origin.empty()) return true;
    const auto scheme = origin.find("://");
    return scheme != std::string_view::npos && base::is_same_but_for_case(origin.substr(scheme + 3), host_header);
}

admission admit(const principal& who, console_role needed, bool changes, bool is_from_us) noexcept {
    if (needed == console_role::none) return changes && !is_from_us ? admission::not_ours : admission::granted;
    if (who.role == console_role::none) return who.name.empty() ? admission::unknown : admission::too_low;
    // Somebody whom nobody knows can become somebody.
    if (who.role < needed) return who.name.empty() ? admission::unknown : admission::too_low;
    if (changes && who.is_ambient() && !is_from_us) return admission::not_ours;
    return admission::granted;
}

}  // namespace sluice::console
