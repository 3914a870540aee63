#pragma once

#include <charconv>
#include <string>
#include <string_view>

namespace sluice::envelope {

/// Behind an event's id, in the id of its message in an older version: `~v1`.
[[nodiscard]] inline std::string version_suffix(std::string_view version) { return std::string{"~v"}.append(version); }

/// Whose message has an id.
struct message_origin {
    std::string_view event_id;
    int version = 0;  ///< an older one; 0: the event's own
};

/// Takes the suffix off, if there is one. The views are into `message_id`.
[[nodiscard]] inline message_origin origin_of(std::string_view message_id) {
    constexpr std::size_t mark = 2;
    const auto at = message_id.rfind("~v");
    if (at == std::string_view::npos) return {message_id};
    int version = 0;
    const char* const end = message_id.data() + message_id.size();
    const auto [stop, failure] = std::from_chars(message_id.data() + at + mark, end, version);
    if (failure != std::errc{} || stop != end || version <= 0) return {message_id};
    return {message_id.substr(0, at), version};
}

}  // namespace sluice::envelope
