#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/problems.hpp"
#include "config/setting.hpp"

/// The TOML file as a tree that remembers lines, before anybody asks what its keys mean.
namespace sluice::config {

struct node {
    struct member;
    using array = std::vector<node>;
    using table = std::vector<member>;
    struct moment {};  ///< a date or time; no key of ours holds one

    int line = 0;                            ///< of the key, or of the element of an array
    bool substituted = false;                ///< the text holds something that came from a `${VAR}`
    bool broken = false;                     ///< already reported: the value means nothing
    bool overlaid = false;                   ///< comes from the section of an environment
    std::vector<used_variable> variables{};  ///< in the text
    std::variant<table, array, std::string, std::int64_t, double, bool, moment> value;

    [[nodiscard]] const table* as_table() const noexcept { return std::get_if<table>(&value); }
    [[nodiscard]] table* as_table() noexcept { return std::get_if<table>(&value); }
    /// Child of a table; null when this is no table or has no such key.
    [[nodiscard]] const node* find(std::string_view key) const noexcept;
    [[nodiscard]] node* find(std::string_view key) noexcept;
};

struct node::member {
    std::string key;
    node value;
};

/// @throws invalid_configuration with the line and the parser's reason
[[nodiscard]] node read_toml(std::string_view text, const std::string& file);

/// Where the values of `${VAR}` come from; empty when the variable is not set.
using variable_lookup = std::function<std::optional<std::string>(const std::string& name)>;

/// The process's environment.
[[nodiscard]] std::optional<std::string> process_variable(const std::string& name);

/// How the problem of a variable that is not set begins.
inline constexpr std::string_view unset_variable = "environment variable ";

/// Replaces `${VAR}` and `${VAR|default}` in every string below `root`; `$${` stands for a literal `${`.
/// What cannot be replaced is added to `found`, with the path of its key.
void substitute(node& root, const variable_lookup& variables, std::vector<problem>& found);

/// Marks everything from `root` on as `overlaid`.
void mark_overlaid(node& root);

/// Lays `overlay` over `base`: tables are merged key by key, everything else is replaced. When an entry of [databases]
/// or [brokers] gets another provider, the entry is replaced as a whole: the old one's keys mean nothing to the new
/// one.
void lay_over(node& base, const node& overlay);

/// `outbox.retry`, with keys that need it in quotes.
[[nodiscard]] std::string join_key(std::string_view parent, std::string_view key);

}  // namespace sluice::config
