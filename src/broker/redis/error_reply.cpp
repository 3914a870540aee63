#include "broker/redis/error_reply.hpp"

#include "base/one_line.hpp"

namespace sluice::broker::redis {
namespace {

std::string_view cause_of(std::string_view error) {
    constexpr std::string_view marker = "because of: ";
    const auto at = error.find(marker);
    return error.starts_with("EXECABORT") && at != std::string_view::npos ? error.substr(at + marker.size()) : error;
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string reason_of(std::string_view error, std::string_view code) {
    auto reason = base::one_line(error);
    if (code == "MOVED" || code == "ASK" || code == "CROSSSLOT") reason += " (Sluice does not work with Redis Cluster)";
    return reason;
}

}  // namespace

std::string error_code(std::string_view error) {
    const auto cause = cause_of(error);
    return std::string{cause.substr(0, cause.find(' '))};
}

verdict verdict_on(std::string_view error) {
    const auto cause = cause_of(error);
    auto code = error_code(error);
    auto reason = reason_of(cause, code);
    if (code == "WRONGTYPE") return refused{std::move(reason), std::move(code), true};
    if (code == "NOPERM" && contains(cause, " key")) return refused{std::move(reason), std::move(code), false};
    if (code != "ERR") return unreachable{std::move(reason)};
    if (contains(cause, "unknown command") || contains(cause, "max number of clients")) {
        return unreachable{std::move(reason)};
    }
    if (contains(cause, "invalid bulk length")) return refused{std::move(reason), "message_too_big", true};
    return refused{std::move(reason), std::move(code), false};
}

bool is_forbidden(std::string_view error) {
    return error.starts_with("NOPERM") || error.starts_with("ERR unknown command");
}

}  // namespace sluice::broker::redis
