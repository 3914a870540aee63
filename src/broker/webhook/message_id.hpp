#pragma once

#include <string>
#include <string_view>

namespace sluice::broker::webhook {

/// The `webhook-id` of a message. The signature covers id, time and body joined by dots, so an id has none: every byte
/// but letters, digits, `-` and `:` is written as `_XX`. `shop::order-o-1-0.1` is `shop::order-o-1-0_2E1`. Two messages
/// never get one id, and a message always gets the same. Pure.
[[nodiscard]] inline std::string webhook_id(std::string_view message_id) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string id;
    id.reserve(message_id.size());
    for (const char each : message_id) {
        if (plain.find(each) != std::string_view::npos) {
            id += each;
        } else {
            const auto byte = static_cast<unsigned char>(each);
            id += {'_', digits[byte >> 4U], digits[byte & 0xFU]};
        }
    }
    return id;
}

}  // namespace sluice::broker::webhook
