#include "config/location.hpp"

#include "base/address_text.hpp"

namespace sluice::config {

namespace {

constexpr std::string_view uri_prefix = "sqlite://";
constexpr const char* forms =
    "write sqlite:///shop.db (beside domain.toml), sqlite:////var/lib/shop.db or a plain path";

file_location wrong(std::string problem, std::string remedy = forms) {
    return {{}, std::move(problem), std::move(remedy)};
}

}  // namespace

file_location locate_file(std::string_view text, const std::filesystem::path& base_directory) {
    std::string_view path = text;
    if (text.starts_with(uri_prefix)) {
        path.remove_prefix(uri_prefix.size());
        if (!path.starts_with('/')) return wrong("names a host, but this provider works on a file");
        path.remove_prefix(1);
    } else if (text.find("://") != std::string_view::npos || text.starts_with("file:") || text.starts_with("sqlite:")) {
        return wrong("is no location of a file");
    }
    if (path.empty() || path.ends_with('/')) return wrong("names no file");
    if (path == ":memory:") return wrong("is no file", "for data in memory write provider = \"memory\" or \"inline\"");
    if (base::may_hold_password(path)) {
        return wrong("looks like the address of a server, but this provider works on a file");
    }
    if (path.find('?') != std::string_view::npos) {
        return wrong("holds a ?", "options have keys of their own, for example synchronous = \"normal\"");
    }
    if (path.find('\0') != std::string_view::npos) return wrong("holds a NUL character");
    return {(base_directory / path).lexically_normal().string(), {}, {}};
}

}  // namespace sluice::config
