#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "broker/publisher.hpp"
#include "broker/redis/guard.hpp"

namespace sluice::broker::redis {

/// What the hash of a producer says of the one who published last. An older build wrote the epoch only.
[[nodiscard]] inline fence_state read_fence(const guard::fields& hash) {
    const auto text = [&hash](std::string_view name) {
        const auto found = hash.find(name);
        return found == hash.end() ? std::string{} : found->second;
    };
    const auto number = [&text](std::string_view name) {
        const auto digits = text(name);
        std::uint64_t value = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return value;
    };
    return {.epoch = number("epoch"), .owner = text("owner"), .place = text("place"), .timeline = number("timeline")};
}

}  // namespace sluice::broker::redis
