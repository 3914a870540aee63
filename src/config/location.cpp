#include "config/location.hpp"

#include <algorithm>

#include "base/address_text.hpp"

namespace sluice::config {

namespace {

constexpr std::string_view uri_prefix = "sqlite://";
constexpr const char* forms =
    "write sqlite:///shop.db (beside domain.toml), sqlite:////var/lib/shop.db or a plain path";

using parameter_names = std::span<const std::string_view>;

bool is_among(parameter_names names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

/// `sslrootcert=system` means the system's authorities.
bool is_relative_file(std::string_view value) { return !value.empty() && value.front() != '/' && value != "system"; }

std::string absolute(std::string_view file, const std::filesystem::path& base_directory) {
    return (base_directory / file).lexically_normal().string();
}

std::string uri_with_absolute_files(const std::string& address, std::string_view query, parameter_names of_files,
                                    const std::filesystem::path& base_directory) {
    std::string changed = address.substr(0, address.size() - query.size());
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const auto parameter = query.substr(0, end);
        const auto equals = parameter.find('=');
        const auto key = parameter.substr(0, equals);
        const std::string value = base::percent_decoded(parameter.substr(equals + 1));
        changed += is_among(of_files, key) && is_relative_file(value)
                       ? std::string{key} + '=' + base::percent_encoded(absolute(value, base_directory))
                       : std::string{parameter};
        query.remove_prefix(end);
        if (!query.empty()) {
            changed += '&';
            query.remove_prefix(1);
        }
    }
    return changed;
}

std::string in_quotes(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + '\'';
}

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

std::string with_absolute_files(const std::string& address, parameter_names file_parameters,
                                const std::filesystem::path& base_directory) {
    if (address.find("://") != std::string::npos) {
        const auto parts = base::read_uri(address);
        return parts && !parts->query.empty()
                   ? uri_with_absolute_files(address, parts->query, file_parameters, base_directory)
                   : address;
    }
    const auto settings = base::read_keywords(address);
    const auto is_meant = [&](const auto& each) {
        return is_among(file_parameters, each.first) && is_relative_file(each.second);
    };
    if (!settings || std::ranges::none_of(*settings, is_meant)) return address;
    std::string changed;
    for (const auto& each : *settings) {
        changed += (changed.empty() ? "" : " ") + each.first + '=' +
                   in_quotes(is_meant(each) ? absolute(each.second, base_directory) : each.second);
    }
    return changed;
}

}  // namespace sluice::config
