#pragma once

#include <sluice/codec.hpp>

/// How what was written earlier, maybe by an older build, is read.
namespace sluice::detail {

/// An event of the log or of a broker.
/// @throws validation_error naming every offending field
template <class Event>
[[nodiscard]] Event read_event(const json::value& data) {
    return codec::decode<Event>(data, codec::unknown_keys::ignore, codec::missing_keys::initialised);
}

}  // namespace sluice::detail
