#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <sluice/registry.hpp>
#include <sluice/subscription_options.hpp>

#include "config/configuration.hpp"

namespace sluice::config {

/// Who decides a setting of a subscription, the strongest first.
enum class setting_source {
    code,             ///< an option in the declaration
    code_profile,     ///< the profile named there
    handler_section,  ///< `[server.subscriptions.NAME]`
    handler_profile,  ///< the profile named there
    global_section,   ///< `[server.subscription]`
    default_profile,  ///< `server.default_subscription_profile`
    built_in
};

/// `code`, `code profile`, `handler`, `handler profile`, `global`, `default profile`, `built-in`.
[[nodiscard]] const char* to_string(setting_source source) noexcept;

/// One key of a subscription, its value, and who says so.
struct decided_setting {
    std::string_view key;
    std::variant<std::int64_t, double, bool> value;
    setting_source source = setting_source::built_in;
    std::string profile{};  ///< when a profile decides: its name, in lower case
    /// Set by itself, and otherwise than the profiles and the built-in values would have it.
    bool deviates = false;

    friend bool operator==(const decided_setting&, const decided_setting&) = default;
};

struct resolved_subscription {
    subscription_settings settings;
    std::vector<decided_setting> decided;  ///< one for each key, in the order of the documentation
};

/// Name of the subscriptions that take the asynchronous commands, one for each category.
inline constexpr std::string_view commands_subscription = "commands";

/// A subscription that can be configured, as the domain declares it.
struct declared_subscription {
    std::string name;  ///< the handler's class with dots, or `commands`
    std::string what;  ///< for people: "event handler shop.notify_customer"
    subscription_options in_code{};
    bool shares_transactions = true;  ///< several of its messages can be handled in one
};

/// All of a domain. A name comes as often as it is declared: a subscriber of two streams twice, `commands` once for
/// each category.
[[nodiscard]] std::vector<declared_subscription> declared_subscriptions(const detail::registry& domain);

/// True when `full` ends in `name` after a dot.
[[nodiscard]] bool ends_in_part(std::string_view full, std::string_view name) noexcept;

/// The subscriptions that NAME of `[server.subscriptions.NAME]` can mean: the one with this full name, else all whose
/// name ends in it after a dot. Without repetitions.
[[nodiscard]] std::vector<std::string> subscriptions_meant(std::string_view name,
                                                           const std::vector<declared_subscription>& declared);

/// Decides, key by key, how a subscription reads and handles: options in the code, then the profile named there, then
/// `[server.subscriptions.NAME]`, then its profile, then the keys that the file sets in `[server.subscription]`, then
/// the default profile, then the built-in values. Pure.
///
/// A section under the full name wins over one under the last part; a last part that means several subscriptions counts
/// for none. `check` refuses both.
///
/// @throws configuration_error when a profile that the code names does not exist
[[nodiscard]] resolved_subscription resolve_subscription(std::string_view name, const subscription_options& in_code,
                                                         const detail::registry& domain, const server_settings& with);

/// The same for a handler whose code says nothing, under one section of the file; null: under none.
/// @throws configuration_error when a profile does not exist
[[nodiscard]] std::vector<decided_setting> resolve_section(const subscription_options* section,
                                                           const server_settings& with);

}  // namespace sluice::config
