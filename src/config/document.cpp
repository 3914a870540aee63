#include "config/document.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/address_text.hpp"
#include "config/printable.hpp"

namespace sluice::config {

namespace {

template <class Node>
Node* find_child(Node& parent, std::string_view key) noexcept {
    auto* members = parent.as_table();
    if (members == nullptr) return nullptr;
    const auto found = std::find_if(members->begin(), members->end(), [&](const auto& m) { return m.key == key; });
    return found == members->end() ? nullptr : &found->value;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_variable_name(std::string_view name) {
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

/// Replaces the variables of one string.
class expansion {
public:
    expansion(std::string_view text, const variable_lookup& variables) : rest_{text}, variables_{variables} { run(); }

    [[nodiscard]] const std::vector<used_variable>& variables() const noexcept { return used_; }
    [[nodiscard]] const std::string& result() const noexcept { return result_; }
    [[nodiscard]] const std::vector<problem>& problems() const noexcept { return problems_; }

private:
    void run() {
        for (auto at = rest_.find("${"); at != std::string_view::npos; at = rest_.find("${")) {
            if (at > 0 && rest_[at - 1] == '$') {
                result_ += rest_.substr(0, at - 1);
                result_ += "${";
                rest_.remove_prefix(at + 2);
                continue;
            }
            result_ += rest_.substr(0, at);
            rest_.remove_prefix(at + 2);
            const auto end = rest_.find('}');
            if (end == std::string_view::npos) {
                add("has a ${ without }", "close it, or write $${ for a literal ${");
                break;
            }
            replace(rest_.substr(0, end));
            rest_.remove_prefix(end + 1);
        }
        result_ += rest_;
    }

    /// @param reference  what stands between the braces: `VAR` or `VAR|default`
    void replace(std::string_view reference) {
        const auto bar = reference.find('|');
        const std::string name{reference.substr(0, bar)};
        if (!is_variable_name(name)) {
            // Between the braces may stand a part of a password.
            add("has a ${…} that does not hold the name of an environment variable",
                "use letters, digits and _, or write $${ for a literal ${");
            return;
        }
        const auto value = variables_(name);
        used_.push_back({name, value.has_value()});
        if (value) {
            result_ += *value;
        } else if (bar != std::string_view::npos) {
            result_ += reference.substr(bar + 1);
        } else {
            add(std::string{unset_variable} + name + " is not set", "set it, or give a default: ${" + name + "|…}");
        }
    }

    void add(std::string message, std::string remedy) {
        problems_.push_back({.message = std::move(message), .remedy = std::move(remedy)});
    }

    std::string_view rest_;
    const variable_lookup& variables_;
    std::string result_;
    std::vector<problem> problems_;
    std::vector<used_variable> used_;
};

void substitute_below(node& at, const std::string& path, const variable_lookup& variables,
                      std::vector<problem>& found) {
    if (auto* text = std::get_if<std::string>(&at.value)) {
        const expansion expanded{*text, variables};
        for (problem p : expanded.problems()) {
            p.key = path;
            p.line = at.line;
            found.push_back(std::move(p));
        }
        *text = expanded.result();
        at.substituted = !expanded.variables().empty();
        at.variables = expanded.variables();
        at.broken = !expanded.problems().empty();
    } else if (auto* elements = std::get_if<node::array>(&at.value)) {
        for (node& element : *elements) substitute_below(element, path, variables, found);
    } else if (auto* members = at.as_table()) {
        for (auto& [key, child] : *members) substitute_below(child, join_key(path, key), variables, found);
    }
}

bool changes_provider(const node& base, const node& overlay) {
    const node* before = base.find("provider");
    const node* after = overlay.find("provider");
    if (before == nullptr || after == nullptr) return false;
    const auto* old_name = std::get_if<std::string>(&before->value);
    const auto* new_name = std::get_if<std::string>(&after->value);
    return old_name == nullptr || new_name == nullptr || *old_name != *new_name;
}

void merge(node& base, const node& overlay, bool entries_have_providers) {
    for (const auto& [key, value] : *overlay.as_table()) {
        node* target = base.find(key);
        const bool both_tables = target != nullptr && target->as_table() != nullptr && value.as_table() != nullptr;
        if (target == nullptr) {
            base.as_table()->push_back({key, value});
        } else if (both_tables && !(entries_have_providers && changes_provider(*target, value))) {
            merge(*target, value, key == "databases" || key == "brokers");
        } else {
            *target = value;
        }
    }
}

}  // namespace

const node* node::find(std::string_view key) const noexcept { return find_child(*this, key); }
node* node::find(std::string_view key) noexcept { return find_child(*this, key); }

std::optional<std::string> process_variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): read at start, nobody sets any
    if (value == nullptr) return std::nullopt;
    return std::string{value};
}

void substitute(node& root, const variable_lookup& variables, std::vector<problem>& found) {
    substitute_below(root, "", variables, found);
}

void mark_overlaid(node& root) {
    root.overlaid = true;
    if (auto* members = root.as_table()) {
        for (auto& [key, child] : *members) mark_overlaid(child);
    } else if (auto* elements = std::get_if<node::array>(&root.value)) {
        for (node& element : *elements) mark_overlaid(element);
    }
}

void lay_over(node& base, const node& overlay) { merge(base, overlay, false); }

std::string join_key(std::string_view parent, std::string_view key) {
    const bool bare = !key.empty() && std::all_of(key.begin(), key.end(),
                                                  [](char c) { return is_letter(c) || is_digit(c) || c == '-'; });
    std::string path{parent};
    if (!path.empty()) path += '.';
    if (bare) return path + std::string{key};
    return path + '"' + printable(base::may_hold_password(key) ? masked_uri(key) : key, 60) + '"';
}

}  // namespace sluice::config
