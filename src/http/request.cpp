#include <algorithm>

#include "http/server.hpp"

namespace sluice::http {

std::string_view http_request::header(std::string_view name) const noexcept {
    std::string_view found;
    bool seen = false;
    for (const auto& [each, value] : headers) {
        if (each != name) continue;
        if (seen) return {};
        found = value;
        seen = true;
    }
    return found;
}

std::string http_request::list(std::string_view name) const {
    std::string all;
    for (const auto& [each, value] : headers) {
        if (each != name) continue;
        if (!all.empty()) all += ", ";
        all += value;
    }
    return all;
}

bool http_mount::has(std::string_view path) const noexcept {
    return std::ranges::any_of(prefixes, [path](const std::string& prefix) {
        return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
    });
}

}  // namespace sluice::http
