#include "broker/redis/error_reply.hpp"

#include <algorithm>
#include <array>

#include "base/one_line.hpp"

namespace sluice::broker::redis {
namespace {

std::string_view cause_of(std::string_view error) {
    constexpr std::string_view marker = "because of: ";
    const auto at = error.find(marker);
    return error.starts_with("EXECABORT") && at != std::string_view::npos ? error.substr(at + marker.size()) : error;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// With the word ERR, which says nothing by itself: what no message could pass. Servers behind proxies are among them.
constexpr std::array server_troubles{"unknown command",
                                     "unknown subcommand",
                                     "wrong number of arguments",
                                     "syntax error",
                                     "max number of clients",
                                     "unauthenticated",
                                     "operation not permitted",
                                     "without any password",
                                     "maxmemory",
                                     "maximum memory",
                                     "upstream",
                                     "onnection ",
                                     "timed out",
                                     "imeout",
                                     "server closed",
                                     "no backend",
                                     "not connected",
                                     "cluster support",
                                     "is disabled",
                                     "not allowed in"};

bool is_server_trouble(std::string_view cause) {
    return std::ranges::any_of(server_troubles, [&](const char* part) { return contains(cause, part); });
}

std::string reason_of(std::string_view error, std::string_view code) {
    auto reason = first_clause(error);
    if (code == "MOVED" || code == "ASK" || code == "CROSSSLOT") reason += " (Sluice does not work with Redis Cluster)";
    return reason;
}

}  // namespace

std::string error_code(std::string_view error) {
    const auto cause = cause_of(error);
    return std::string{cause.substr(0, cause.find(' '))};
}

std::string first_clause(std::string_view error) {
    constexpr std::string_view protocol_error = "ERR Protocol error: ";
    constexpr std::array clause_ends{". ", ", ", "; ", ": ", " - ", "\n", "\r"};
    constexpr std::size_t longest = 200;
    const auto text = cause_of(error);
    const auto from = text.starts_with(protocol_error) ? protocol_error.size() : 0;
    auto end = text.size();
    for (const std::string_view mark : clause_ends) end = std::min(end, text.find(mark, from));
    return base::one_line(text.substr(0, end), longest);
}

verdict verdict_on(std::string_view error) {
    const auto cause = cause_of(error);
    auto code = error_code(error);
    auto reason = reason_of(cause, code);
    if (code == "WRONGTYPE" || (code == "NOPERM" && contains(cause, " key"))) {
        return refused{.reason = std::move(reason), .code = std::move(code), .stream_closed = true};
    }
    if (code != "ERR") return unreachable{std::move(reason)};
    if (contains(cause, "invalid bulk length")) return refused{std::move(reason), "message_too_big", true};
    if (is_server_trouble(cause)) return unreachable{std::move(reason)};
    return refused{std::move(reason), std::move(code), false};
}

bool is_forbidden(std::string_view error) {
    return error.starts_with("NOPERM") || error.starts_with("ERR unknown command");
}

}  // namespace sluice::broker::redis
