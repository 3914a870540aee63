#pragma once

#include <map>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

namespace sluice::store {

/// An operator has told the lanes of one broker to rest until further notice. Kept in `sluice_meta`.
struct lane_pause {
    date_time since{};
    std::string reason{};  ///< one line; empty: none was given

    friend bool operator==(const lane_pause&, const lane_pause&) = default;
};

/// By broker.
using lane_pauses = std::map<std::string, lane_pause, std::less<>>;

/// Before the broker's name in the keys of `sluice_meta`.
inline constexpr std::string_view pause_prefix = "lane_pause:";

[[nodiscard]] std::string to_text(const lane_pause& pause);
/// What `to_text` wrote. A text of somebody else is the reason of a pause of unknown age: who cannot be understood
/// shall not be ignored.
[[nodiscard]] lane_pause pause_from(std::string_view text);

/// For people: `paused by an operator since 2026-11-29T…: partner moves`.
[[nodiscard]] std::string describe(const lane_pause& pause);

}  // namespace sluice::store
