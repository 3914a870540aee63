#include "broker/webhook/endpoint.hpp"

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "base/address_text.hpp"

namespace sluice::broker::webhook {
namespace {

constexpr std::string_view stream_mark = "{stream}";
constexpr std::uint16_t https_port = 443;
constexpr std::uint16_t http_port = 80;

[[noreturn]] void refuse_endpoint(std::string_view what) {
    throw configuration_error{
        fmt::format("webhook URI: {}; expected https://host[:port]/path[?query], with {} in the path where the name of "
                    "the stream belongs",
                    what, stream_mark)};
}

/// What may stand in a request line as it is.
bool is_visible(std::string_view text) {
    constexpr char first = '!';
    constexpr char last = '~';
    for (const char each : text) {
        if (each < first || each > last) return false;
    }
    return text.find_first_of("\"<>\\^`|") == std::string_view::npos;
}

std::string without_mark(std::string path) {
    if (const auto at = path.find(stream_mark); at != std::string::npos) path.erase(at, stream_mark.size());
    return path;
}

void read_host_and_port(endpoint& into, std::string_view authority) {
    const auto hosts = base::read_hosts(authority);
    const auto& [host, port] = hosts.front();
    into.host = host;
    if (into.host.empty()) refuse_endpoint("it names no host");
    if (hosts.size() > 1 || into.host.find(',') != std::string::npos) refuse_endpoint("it names several hosts");
    if (!is_visible(into.host)) {
        refuse_endpoint("the host has a character that no host name has; an international one is written as xn--…");
    }
    if (!port || port->empty()) return;
    const auto number = base::read_port(*port);
    if (!number) refuse_endpoint("the port must be a number from 1 to 65535");
    into.port = *number;
}

}  // namespace

std::string endpoint::authority() const {
    std::string text = base::bracketed(host);
    if (port != (tls ? https_port : http_port)) text += ':' + std::to_string(port);
    return text;
}

std::string endpoint::name() const { return (tls ? "https://" : "http://") + authority() + path; }

std::string endpoint::target(std::string_view stream) const {
    std::string text = path;
    if (const auto at = text.find(stream_mark); at != std::string::npos) {
        // A slash would lead to another path.
        std::string name;
        for (const char each : base::percent_encoded(stream))
            name += each == '/' ? std::string{"%2F"} : std::string{each};
        text.replace(at, stream_mark.size(), name);
    }
    return text + query;
}

endpoint read_endpoint(const std::string& uri) {
    const auto parts = base::read_uri(uri);
    if (!parts) {
        refuse_endpoint(
            "it can be read in two ways, or is none; write special characters as %XX, and nothing behind a #");
    }
    endpoint result;
    if (parts->scheme != "https" && parts->scheme != "http") refuse_endpoint("the scheme is not https or http");
    result.tls = parts->scheme == "https";
    result.port = result.tls ? https_port : http_port;
    if (!parts->user.empty() || parts->password) {
        refuse_endpoint("a user or password stands in it; give authorization = \"Basic …\" instead");
    }
    read_host_and_port(result, parts->authority);
    if (!parts->path.empty()) result.path = parts->path;
    if (!parts->query.empty()) result.query = '?' + std::string{parts->query};
    const std::string fixed = without_mark(result.path) + result.query;
    if (!is_visible(fixed) || fixed.find_first_of("{}") != std::string::npos) {
        refuse_endpoint("path or query has a character that must be written as %XX, or {stream} more than once");
    }
    return result;
}

}  // namespace sluice::broker::webhook
