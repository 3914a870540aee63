#include "envelope/content.hpp"

#include <cstddef>

#include <sluice/error.hpp>

#include "base/sha256.hpp"
#include "envelope/envelope.hpp"

namespace sluice::envelope {

namespace {

constexpr std::size_t digits_kept = 32;

/// Of the payload as it came, whatever a newer version of it was made of it since.
std::string payload_checksum(const message& m) {
    if (m.metadata().checksum) return *m.metadata().checksum;  // verified when the message was read
    const auto* const data = m.raw().find("data");
    return checksum_of(data != nullptr ? *data : m.data());
}

}  // namespace

std::string content_of(const message& m) {
    return base::sha256_hex(m.type().text() + "\n" + payload_checksum(m)).substr(0, digits_kept);
}

std::string copy_key(std::string_view body) {
    try {
        const auto m = message::decode(body);
        const auto& time = m.metadata().headers.time;
        return content_of(m) + "@" + (time ? std::to_string(time->micros()) : "");
    } catch (const decode_error&) {
        return base::sha256_hex(body);
    }
}

bool are_copies(std::string_view body, std::string_view other) {
    return body == other || copy_key(body) == copy_key(other);
}

}  // namespace sluice::envelope
