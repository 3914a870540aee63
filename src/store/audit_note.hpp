#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

namespace sluice::store {

/// What came of the last audit of everything that one broker was to get. Kept in `sluice_meta`.
struct audit_note {
    date_time at{};
    bool closes = false;
    std::optional<date_time> closed_at{};  ///< when one has closed last; none: never

    /// The note of an audit that follows this one.
    [[nodiscard]] audit_note followed_by(date_time when, bool closed) const {
        return {.at = when, .closes = closed, .closed_at = closed ? when : closed_at};
    }
    friend bool operator==(const audit_note&, const audit_note&) = default;
};

/// By broker.
using audit_notes = std::map<std::string, audit_note, std::less<>>;

/// Before the broker's name in the keys of `sluice_meta`.
inline constexpr std::string_view audit_prefix = "audit:";

/// `2026-11-29T… closed`, or `2026-11-29T… open 2026-11-22T…` with the time of the last that closed, if any.
[[nodiscard]] std::string to_text(const audit_note& note);
/// Nothing when the text is none of `to_text`'s.
[[nodiscard]] std::optional<audit_note> audit_note_from(std::string_view text);

}  // namespace sluice::store
