#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <sluice/time.hpp>

namespace sluice::telemetry {

/// What came of one request.
struct answer {
    int status = 0;          ///< of HTTP; 0: none came
    std::string trouble{};   ///< why none came, one line
    std::string body{};      ///< its beginning
    duration retry_after{};  ///< what the receiver asks for; 0: nothing
};

/// What that means to what was sent.
struct delivery {
    enum class result : std::uint8_t {
        delivered,
        again,   ///< the receiver is away, or does not want it now
        refused  ///< it will not take this, however often it is sent
    };

    result is = result::delivered;
    std::string reason{};      ///< one line; empty when all was taken
    duration retry_after{};    ///< at least
    std::size_t rejected = 0;  ///< of what was delivered; the receiver took the rest
};

/// As the specification of OTLP over HTTP says: 429, 502, 503, 504 and no answer are worth another attempt. Pure.
[[nodiscard]] delivery judge(const answer& from);

}  // namespace sluice::telemetry
