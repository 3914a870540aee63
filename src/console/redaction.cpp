#include "console/redaction.hpp"

#include <algorithm>
#include <utility>

#include <sluice/error.hpp>

namespace sluice::console {

namespace {

std::vector<std::string> parts_of(const std::string& path) {
    std::vector<std::string> parts;
    std::string part;
    for (const char c : path) {
        if (c == '.') {
            parts.push_back(std::exchange(part, {}));
        } else {
            part += c;
        }
    }
    parts.push_back(std::move(part));
    return parts;
}

bool may_be_json(const std::string& text) { return text.starts_with('{') || text.starts_with('['); }

}  // namespace

redaction::redaction(config::console_redaction settings) : settings_{std::move(settings)} {
    for (const std::string& each : settings_.fields) hidden_.push_back(parts_of(each));
}

bool redaction::sees_payloads(config::console_role role) const noexcept {
    return settings_.payloads && role >= *settings_.payloads;
}

json::value redaction::shown(json::value payload, config::console_role role) const {
    if (payload.is_null()) return payload;
    if (!sees_payloads(role)) return mark;
    std::vector<std::string> path;
    if (!hidden_.empty()) hide(payload, path);
    return payload;
}

std::string redaction::shown_text(std::string_view payload, config::console_role role) const {
    if (!sees_payloads(role)) return std::string{mark};
    try {
        return json::dump(shown(json::parse(payload), role), json::style::pretty);
    } catch (const decode_error&) {
        if (hidden_.empty()) return std::string{payload};
        return std::string{mark} + " (no JSON, so its redacted members cannot be told from the rest)";
    }
}

bool redaction::is_hidden(const std::vector<std::string>& path) const {
    return std::ranges::any_of(hidden_, [&](const std::vector<std::string>& end) {
        return path.size() >= end.size() && std::equal(end.rbegin(), end.rend(), path.rbegin());
    });
}

void redaction::hide(json::value& in, std::vector<std::string>& path) const {
    if (in.is_object()) {
        std::vector<json::object::member> members;
        for (const auto& [name, value] : in.as_object()) {
            members.emplace_back(name, value);
            path.push_back(name);
            if (is_hidden(path)) {
                members.back().second = mark;
            } else {
                hide(members.back().second, path);
            }
            path.pop_back();
        }
        in = json::object{std::move(members)};
    } else if (in.is_array()) {
        for (json::value& each : in.as_array()) hide(each, path);
    } else if (in.is_string() && may_be_json(in.as_string())) {
        try {
            json::value within = json::parse(in.as_string());
            hide(within, path);
            in = json::dump(within);
        } catch (const decode_error&) {
            return;  // a text that only looks like it
        }
    }
}

}  // namespace sluice::console
