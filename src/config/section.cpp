#include "config/section.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <optional>

#include "base/address_text.hpp"
#include "base/names.hpp"
#include "config/printable.hpp"

namespace sluice::config {

namespace {

constexpr std::size_t longest_shown_value = 80;

constexpr const char* hidden_text = "(hidden)";

/// An address that stands where none belongs is no less secret.
std::string shown_text(const std::string& text, sensitivity how) {
    if (how == sensitivity::secret) return hidden_text;
    const bool is_uri = how == sensitivity::uri || base::may_hold_password(text);
    return printable(is_uri ? masked_uri(text) : text, longest_shown_value);
}

std::string shown(const node& value, sensitivity how) {
    if (how == sensitivity::secret) return hidden_text;
    if (const auto* text = std::get_if<std::string>(&value.value)) {
        return '"' + shown_text(*text, how) + '"';
    }
    if (const auto* whole = std::get_if<std::int64_t>(&value.value)) return std::to_string(*whole);
    if (const auto* number = std::get_if<double>(&value.value)) return fmt::format("{}", *number);
    if (const auto* flag = std::get_if<bool>(&value.value)) return *flag ? "true" : "false";
    return {};
}

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
    Number parsed{};
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, parsed);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return parsed;
}

/// Values from the environment are always texts; only those may stand for a number or a flag.
const std::string* substituted_text(const node& value) {
    return value.substituted ? std::get_if<std::string>(&value.value) : nullptr;
}

std::optional<std::int64_t> as_whole(const node& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value.value)) return *whole;
    if (const auto* text = substituted_text(value)) return parse_number<std::int64_t>(*text);
    return std::nullopt;
}

std::optional<double> as_number(const node& value) {
    if (const auto* number = std::get_if<double>(&value.value)) return *number;
    if (const auto* whole = std::get_if<std::int64_t>(&value.value)) return static_cast<double>(*whole);
    if (const auto* text = substituted_text(value)) return parse_number<double>(*text);
    return std::nullopt;
}

std::optional<bool> as_flag(const node& value) {
    if (const auto* flag = std::get_if<bool>(&value.value)) return *flag;
    const auto* text = substituted_text(value);
    if (text != nullptr && *text == "true") return true;
    if (text != nullptr && *text == "false") return false;
    return std::nullopt;
}

/// Takes an address out of what is shown. True when something is missing then.
bool hide_secret(std::string& text, sensitivity how) {
    if (how == sensitivity::open && !base::may_hold_password(text)) return false;
    std::string visible = how == sensitivity::secret ? hidden_text : base::shown_address(text);
    const bool hidden = visible != text;
    text = std::move(visible);
    return hidden;
}

/// By its name; who names a table's keys is the user.
bool may_name_secret(std::string_view key) {
    for (const auto word : {"password", "secret", "pem", "oauth", "jaas", "credential", "key"}) {
        if (key.find(word) != std::string_view::npos) return true;
    }
    return false;
}

/// Nothing when it is a list or a date.
std::optional<std::string> as_text(const node& value) {
    if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
    if (const auto* whole = std::get_if<std::int64_t>(&value.value)) return std::to_string(*whole);
    if (const auto* number = std::get_if<double>(&value.value)) return fmt::format("{:g}", *number);
    if (const auto* flag = std::get_if<bool>(&value.value)) return *flag ? "true" : "false";
    return std::nullopt;
}

}  // namespace

section::section(const node* table, std::string path, reading& into)
    : table_{table}, path_{std::move(path)}, into_{&into} {
    if (table_ != nullptr && table_->as_table() == nullptr) {
        if (!table_->broken) {
            into_->problems.push_back({.line = table_->line,
                                       .key = path_,
                                       .value = shown(*table_, sensitivity::open),
                                       .message = "must be a table",
                                       .remedy = "write [" + path_ + "] on a line of its own, with its keys below"});
        }
        table_ = nullptr;
    }
}

void section::whole(std::string_view key, int& target, std::int64_t lowest, std::int64_t highest) {
    if (const auto value = read_whole(key, lowest, highest)) target = static_cast<int>(*value);
    note(key, static_cast<std::int64_t>(target));
}

void section::whole(std::string_view key, std::size_t& target, std::int64_t lowest, std::int64_t highest) {
    if (const auto value = read_whole(key, lowest, highest)) target = static_cast<std::size_t>(*value);
    note(key, static_cast<std::int64_t>(target));
}

void section::whole(std::string_view key, std::optional<int>& target, std::int64_t lowest, std::int64_t highest) {
    const auto value = read_whole(key, lowest, highest);
    if (value) target = static_cast<int>(*value);
    note(key, value ? setting_value{*value} : setting_value{});
}

void section::whole(std::string_view key, std::optional<std::size_t>& target, std::int64_t lowest,
                    std::int64_t highest) {
    const auto value = read_whole(key, lowest, highest);
    if (value) target = static_cast<std::size_t>(*value);
    note(key, value ? setting_value{*value} : setting_value{});
}

std::optional<std::int64_t> section::read_whole(std::string_view key, std::int64_t lowest, std::int64_t highest) {
    const node* value = ask(key);
    if (value == nullptr) return std::nullopt;
    const auto read = as_whole(*value);
    if (read && *read >= lowest && *read <= highest) return read;
    mismatch(key, *value, fmt::format("a whole number from {} to {}", lowest, highest));
    return std::nullopt;
}

void section::number(std::string_view key, double& target, double lowest, double highest) {
    target = read_number(key, lowest, highest).value_or(target);
    note(key, target);
}

void section::number(std::string_view key, std::optional<double>& target, double lowest, double highest) {
    const auto value = read_number(key, lowest, highest);
    if (value) target = value;
    note(key, value ? setting_value{*value} : setting_value{});
}

std::optional<double> section::read_number(std::string_view key, double lowest, double highest) {
    const node* value = ask(key);
    if (value == nullptr) return std::nullopt;
    const auto read = as_number(*value);
    if (read && *read >= lowest && *read <= highest) return read;
    mismatch(key, *value, fmt::format("a number from {:g} to {:g}", lowest, highest));
    return std::nullopt;
}

void section::flag(std::string_view key, bool& target) {
    target = read_flag(key).value_or(target);
    note(key, target);
}

void section::flag(std::string_view key, std::optional<bool>& target) {
    const auto value = read_flag(key);
    if (value) target = value;
    note(key, value ? setting_value{*value} : setting_value{});
}

std::optional<bool> section::read_flag(std::string_view key) {
    const node* value = ask(key);
    if (value == nullptr) return std::nullopt;
    const auto read = as_flag(*value);
    if (!read) mismatch(key, *value, "true or false, without quotes");
    return read;
}

void section::text(std::string_view key, std::string& target, sensitivity shown) {
    if (shown != sensitivity::open) sensitive_.insert_or_assign(std::string{key}, shown);
    if (const node* value = ask(key)) {
        const auto* read = std::get_if<std::string>(&value->value);
        if (read == nullptr) {
            mismatch(key, *value, "a text in quotes");
        } else if (read->find_first_not_of(" \t\r\n") == std::string::npos) {
            add(key, value, "is blank", "give it a value or remove it");
        } else {
            target = *read;
        }
    }
    note(key, target.empty() ? setting_value{} : setting_value{target});
}

void section::choice(std::string_view key, std::string& target, std::span<const std::string> words) {
    if (const node* value = ask(key)) {
        const auto* read = std::get_if<std::string>(&value->value);
        if (read == nullptr) {
            mismatch(key, *value, fmt::format("one of \"{}\"", fmt::join(words, "\", \"")));
        } else if (std::find(words.begin(), words.end(), *read) == words.end()) {
            add(key, value, "is not one of the choices", did_you_mean(*read, words, "use one of"));
        } else {
            target = *read;
        }
    }
    note(key, target);
}

void section::texts(std::string_view key, std::vector<std::string>& target) {
    if (auto read = read_texts(key)) target = *std::move(read);
    note(key, target);
}

void section::texts(std::string_view key, std::optional<std::vector<std::string>>& target) {
    const auto read = read_texts(key);
    if (read) target = read;
    note(key, read ? setting_value{*read} : setting_value{});
}

std::optional<std::vector<std::string>> section::read_texts(std::string_view key) {
    const node* value = ask(key);
    if (value == nullptr) return std::nullopt;
    if (const auto* single = std::get_if<std::string>(&value->value)) {
        add(key, value, "must be a list of texts",
            fmt::format("did you mean [\"{}\"]?", shown_text(*single, sensitivity::open)));
        return std::nullopt;
    }
    const auto* elements = std::get_if<node::array>(&value->value);
    if (elements == nullptr) {
        mismatch(key, *value, "a list of texts, for example [\"partner_events\"]");
        return std::nullopt;
    }
    std::vector<std::string> read;
    for (const node& element : *elements) {
        if (element.broken) continue;
        const auto* text = std::get_if<std::string>(&element.value);
        if (text == nullptr) {
            add(key, &element, "must hold texts only", "put every element in quotes");
            return std::nullopt;
        }
        read.push_back(*text);
    }
    return read;
}

void section::all_texts(std::map<std::string, std::string>& target) {
    if (table_ != nullptr) collect_texts(*table_, "", target);
}

void section::collect_texts(const node& from, const std::string& prefix, std::map<std::string, std::string>& target) {
    for (const auto& [key, value] : *from.as_table()) {
        if (prefix.empty()) known_.insert(key);
        const std::string name = prefix + key;
        if (value.broken) continue;
        if (value.as_table() != nullptr) {
            collect_texts(value, name + '.', target);
            continue;
        }
        const auto text = as_text(value);
        if (!text) {
            mismatch(name, value, "a text, a number, true or false");
            continue;
        }
        target.insert_or_assign(name, *text);
        effective_setting noted{.section = path_,
                                .key = name,
                                .value = *text,
                                .from = value.overlaid ? origin::overlay : origin::file,
                                .line = value.line,
                                .variables = value.variables};
        auto& shown = std::get<std::string>(noted.value);
        noted.masked = may_name_secret(name);
        if (noted.masked) {
            shown = hidden_text;
        } else {
            noted.masked = hide_secret(shown, sensitivity::open);
        }
        into_->settings.push_back(std::move(noted));
    }
}

void section::resolve([[maybe_unused]] std::string_view key, const std::string& path) {
    if (path.empty() || into_->settings.empty()) return;
    effective_setting& last = into_->settings.back();
    assert(last.key == join_key("", key));
    if (!last.masked) last.resolved = path;  // it has the same text in it
}

sensitivity section::sensitivity_of(std::string_view key) const {
    const auto found = sensitive_.find(key);
    return found == sensitive_.end() ? sensitivity::open : found->second;
}

void section::note(std::string_view key, setting_value effective) {
    noted_.emplace(key);
    effective_setting noted{.section = path_, .key = join_key("", key), .value = std::move(effective)};
    const auto how = sensitivity_of(key);
    if (auto* text = std::get_if<std::string>(&noted.value)) noted.masked = hide_secret(*text, how);
    if (auto* list = std::get_if<std::vector<std::string>>(&noted.value)) {
        for (std::string& each : *list) noted.masked = hide_secret(each, how) || noted.masked;
    }
    if (const node* value = peek(key)) {
        noted.from = value->overlaid ? origin::overlay : origin::file;
        noted.line = value->line;
        noted.variables = value->variables;
        if (const auto* elements = std::get_if<node::array>(&value->value)) {
            for (const node& each : *elements) {
                noted.variables.insert(noted.variables.end(), each.variables.begin(), each.variables.end());
            }
        }
    }
    into_->settings.push_back(std::move(noted));
}

section section::below(std::string_view key) {
    known_.emplace(key);
    return {peek(key), join_key(path_, key), *into_};
}

std::vector<std::pair<std::string, section>> section::all_below() {
    std::vector<std::pair<std::string, section>> sections;
    if (table_ == nullptr) return sections;
    for (const auto& [key, value] : *table_->as_table()) {
        known_.insert(key);
        sections.emplace_back(key, section{&value, join_key(path_, key), *into_});
    }
    return sections;
}

std::vector<std::string> section::tables() const {
    std::vector<std::string> keys;
    if (table_ == nullptr) return keys;
    for (const auto& [key, value] : *table_->as_table()) {
        if (value.as_table() != nullptr) keys.push_back(key);
    }
    return keys;
}

std::vector<std::string> section::keys() const {
    std::vector<std::string> names;
    if (table_ == nullptr) return names;
    for (const auto& each : *table_->as_table()) names.push_back(each.key);
    return names;
}

bool section::has(std::string_view key) const noexcept { return peek(key) != nullptr; }

bool section::is_substituted(std::string_view key) const noexcept {
    const node* value = peek(key);
    return value != nullptr && value->substituted;
}

void section::refuse_unknown() const {
    assert(asked_ == noted_);
    if (table_ == nullptr || ignores_unknown_) return;
    for (const auto& [key, value] : *table_->as_table()) {
        if (known_.contains(key)) continue;
        // The value of a key nobody knows may be anything, also a secret: it is not shown.
        const std::vector<std::string> candidates{known_.begin(), known_.end()};
        into_->problems.push_back({.line = value.line,
                                   .key = join_key(path_, key),
                                   .value = {},
                                   .message = "unknown key",
                                   .remedy = did_you_mean(key, candidates, "known here")});
    }
}

void section::report(std::string_view key, std::string message, std::string remedy) const {
    add(key, peek(key), std::move(message), std::move(remedy));
}

void section::report_element(std::string_view key, std::size_t index, std::string message, std::string remedy) const {
    const node* list = peek(key);
    const auto* elements = list == nullptr ? nullptr : std::get_if<node::array>(&list->value);
    add(key, elements == nullptr || index >= elements->size() ? list : &(*elements)[index], std::move(message),
        std::move(remedy));
}

const node* section::ask(std::string_view key) {
    known_.emplace(key);
    asked_.emplace(key);
    const node* value = peek(key);
    return value == nullptr || value->broken ? nullptr : value;
}

const node* section::peek(std::string_view key) const noexcept {
    return table_ == nullptr ? nullptr : table_->find(key);
}

void section::mismatch(std::string_view key, const node& value, const std::string& expected) const {
    const auto* text = std::get_if<std::string>(&value.value);
    const bool quoted =
        text != nullptr && !value.substituted && (parse_number<double>(*text) || *text == "true" || *text == "false");
    add(key, &value, "must be " + expected, quoted ? "remove the quotes" : "");
}

void section::add(std::string_view key, const node* value, std::string message, std::string remedy) const {
    const auto how = sensitivity_of(key);
    // What no line of the file says comes from the environment.
    if (value != nullptr && value->line == 0 && !value->variables.empty()) {
        message += " (from environment variable " + value->variables.front().name + ")";
    }
    into_->problems.push_back({.line = value == nullptr ? line() : value->line,
                               .key = join_key(path_, key),
                               .value = value == nullptr ? std::string{} : shown(*value, how),
                               .message = std::move(message),
                               .remedy = std::move(remedy)});
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates, std::string_view otherwise,
                         std::string_view none) {
    if (candidates.empty()) return std::string{none};
    std::string nearest = base::suggest(word, candidates);
    for (const std::string& candidate : candidates) {
        // `warning` for `warn`, `rabbit` for `rabbitmq`
        const bool is_part = std::min(word.size(), candidate.size()) >= 3 &&
                             (word.starts_with(candidate) || candidate.starts_with(word));
        if (nearest.empty() && is_part) nearest = candidate;
    }
    if (!nearest.empty()) return "did you mean \"" + nearest + "\"?";
    return fmt::format("{}: {}", otherwise, fmt::join(candidates, ", "));
}

}  // namespace sluice::config
