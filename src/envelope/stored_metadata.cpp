#include "envelope/stored_metadata.hpp"

#include <sluice/error.hpp>

#include "envelope/envelope.hpp"

namespace sluice::envelope {

std::optional<message_metadata> stored_metadata(std::string_view stored) {
    try {
        return decode_metadata(json::parse(stored));
    } catch (const error&) {
        return std::nullopt;
    }
}

}  // namespace sluice::envelope
