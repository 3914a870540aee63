#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

/// What every key of the configuration comes to, and who says so.
namespace sluice::config {

/// A value as a key has it; nothing for a key without a value and without a default.
using setting_value = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// Who sets a key.
enum class origin {
    built_in,
    profile,  ///< of subscriptions
    file,
    overlay  ///< the section of the environment that SLUICE_ENV names
};

/// `built-in`, `profile`, `file`, `overlay`.
[[nodiscard]] const char* to_string(origin from) noexcept;

/// A `${NAME}` in the value.
struct used_variable {
    std::string name{};
    bool is_set = false;  ///< false: the default behind the bar counts

    friend bool operator==(const used_variable&, const used_variable&) = default;
};

/// One key and its effective value. No member holds a secret.
struct effective_setting {
    std::string section{};   ///< `outbox.retry`
    std::string key{};       ///< `max_attempts`
    setting_value value{};   ///< addresses without user, password and query
    bool masked = false;     ///< the value is not all of what is set
    std::string resolved{};  ///< the absolute path of a file; empty for everything else
    origin from = origin::built_in;
    int line = 0;             ///< of the file; 0 when the file does not set it
    std::string profile{};    ///< the name of the profile that decides
    std::string inherited{};  ///< the section that decides when it is another one: `server.subscription`
    std::vector<used_variable> variables{};

    /// `outbox.retry.max_attempts`
    [[nodiscard]] std::string path() const { return section + '.' + key; }
};

}  // namespace sluice::config
