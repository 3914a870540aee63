#include "broker/webhook/status_verdict.hpp"

#include <fmt/format.h>

#include "base/one_line.hpp"

namespace sluice::broker::webhook {
namespace {

/// Of this status what to do; the answer's own words follow it.
std::string_view advice(unsigned status) {
    switch (status) {
        case 401:
            return "it does not accept the signature or the login: compare secrets and authorization with what it "
                   "expects, and the clocks";
        case 403:
            return "it forbids us to post: ask for the right, or compare secrets and authorization with what it "
                   "expects";
        case 404:
            return "there is nothing: compare the path of URI with what the partner expects";
        case 405:
            return "it takes no POST: compare URI with what the partner expects";
        case 410:
            return "it wants no more messages: ask the partner, then give another URI or take the broker out of "
                   "external_brokers";
        default:
            break;
    }
    if (status >= 300 && status < 400) return "redirects are not followed: give the new address as URI";
    return "it does not take messages in this way: ask the partner what it expects";
}

std::string quoted_words(std::string_view words) {
    constexpr std::size_t most = 200;
    std::string line = base::one_line(words, most);
    const auto begin = line.find_first_not_of(' ');
    if (begin == std::string::npos) return {};
    return ": " + line.substr(begin);
}

}  // namespace

status_meaning meaning_of(unsigned status) noexcept {
    if (status >= 200 && status < 300) return status_meaning::delivered;
    switch (status) {
        case 400:
        case 409:
        case 413:
        case 415:
        case 422:
        case 431:
            return status_meaning::refused;
        case 408:
        case 425:
        case 429:
            return status_meaning::outage;
        default:
            break;
    }
    return status >= 300 && status < 500 ? status_meaning::unwanted : status_meaning::outage;
}

verdict verdict_of(unsigned status, std::string_view receipt, std::string_view words, std::string_view endpoint) {
    constexpr std::size_t most_receipt = 128;
    switch (meaning_of(status)) {
        case status_meaning::delivered:
            return delivered{base::one_line(receipt, most_receipt)};
        case status_meaning::refused:
            return refused{
                .reason = fmt::format("{} answers {} to this message{}", endpoint, status, quoted_words(words)),
                .code = fmt::format("http_{}", status)};
        case status_meaning::unwanted:
            return unreachable{
                fmt::format("{} answers {}: {}{}", endpoint, status, advice(status), quoted_words(words))};
        case status_meaning::outage:
            break;
    }
    return unreachable{fmt::format("{} answers {}{}", endpoint, status, quoted_words(words))};
}

}  // namespace sluice::broker::webhook
