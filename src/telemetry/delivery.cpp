#include "telemetry/delivery.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "base/one_line.hpp"

namespace sluice::telemetry {

namespace {

constexpr int success = 200;
constexpr int end_of_success = 300;
constexpr std::size_t longest_words = 200;
/// Nobody can ask for a longer pause.
constexpr duration longest_pause = std::chrono::minutes{5};

bool is_transient(int status) {
    constexpr int too_many_requests = 429;
    constexpr int bad_gateway = 502;
    constexpr int unavailable = 503;
    constexpr int gateway_timeout = 504;
    return status == too_many_requests || status == bad_gateway || status == unavailable || status == gateway_timeout;
}

/// `{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "…"}}`; whatever is not of that form says nothing.
void read_partial_success(const std::string& body, delivery& into) {
    try {
        const json::value answered = json::parse(body);
        const json::value* const partial = answered.find("partialSuccess");
        if (partial == nullptr) return;
        for (const char* key : {"rejectedSpans", "rejectedDataPoints"}) {
            const json::value* const count = partial->find(key);
            if (count == nullptr) continue;
            into.rejected = static_cast<std::size_t>(count->is_string() ? json::parse(count->as_string()).as_int()
                                                                        : count->as_int());
        }
        into.reason = base::one_line(partial->string_or("errorMessage", ""), longest_words);
    } catch (const error&) {
        into.rejected = 0;
    }
}

}  // namespace

delivery judge(const answer& from) {
    delivery made;
    made.retry_after = std::clamp(from.retry_after, duration{0}, longest_pause);
    if (from.status >= success && from.status < end_of_success) {
        read_partial_success(from.body, made);
        return made;
    }
    const bool was_answered = from.status != 0;
    made.is = !was_answered || is_transient(from.status) ? delivery::result::again : delivery::result::refused;
    made.reason = was_answered ? fmt::format("HTTP status {}{}{}", from.status, from.body.empty() ? "" : ": ",
                                             base::one_line(from.body, longest_words))
                               : from.trouble;
    return made;
}

}  // namespace sluice::telemetry
