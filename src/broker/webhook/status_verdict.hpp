#pragma once

#include <string>
#include <string_view>

#include "broker/verdict.hpp"

namespace sluice::broker::webhook {

/// What a status says of a message.
enum class status_meaning {
    delivered,
    refused,   ///< this message is not wanted: 400, 413, …
    unwanted,  ///< no message is wanted at this address, in this way: 401, 404, 410, a redirect
    outage     ///< later: 408, 425, 429, 5xx
};

/// Pure. What is not known and begins with 4 speaks of the endpoint: to pause costs no message.
[[nodiscard]] status_meaning meaning_of(unsigned status) noexcept;

/// The verdict on a message that was answered. Pure.
/// @param receipt  what the endpoint calls the message it took; empty: nothing
/// @param words  the beginning of the body, for people
/// @param endpoint  for people
[[nodiscard]] verdict verdict_of(unsigned status, std::string_view receipt, std::string_view words,
                                 std::string_view endpoint);

}  // namespace sluice::broker::webhook
