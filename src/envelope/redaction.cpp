#include "envelope/redaction.hpp"

#include <span>

namespace sluice::envelope {

namespace {

void take_away(json::value& from, std::span<const std::string_view> names, const std::optional<std::string>& with) {
    if (from.is_array()) {
        for (json::value& each : from.as_array()) take_away(each, names, with);
        return;
    }
    if (!from.is_object()) return;
    json::object& members = from.as_object();
    json::value* const member = members.find(names.front());
    if (member == nullptr) return;
    if (names.size() > 1) {
        take_away(*member, names.subspan(1), with);
    } else if (with) {
        *member = *with;
    } else {
        members.erase(names.front());
    }
}

}  // namespace

std::vector<std::string_view> path_names(std::string_view path) {
    std::vector<std::string_view> names;
    for (;;) {
        const auto end = path.find('.');
        names.push_back(path.substr(0, end));
        if (end == std::string_view::npos) return names;
        path.remove_prefix(end + 1);
    }
}

std::string redacted(std::string_view data, const std::vector<std::string>& paths,
                     const std::optional<std::string>& with) {
    if (paths.empty()) return std::string{data};
    json::value payload = json::parse(data);
    for (const std::string& path : paths) take_away(payload, path_names(path), with);
    return json::dump(payload);
}

}  // namespace sluice::envelope
