#pragma once

#include <array>
#include <string>

#include "console/router.hpp"
#include "operate/backfills.hpp"

/// Orders of backfills, as pages and the interface give them.
namespace sluice::console {

/// Something that can be done to a backfill under way.
struct backfill_change {
    const char* word;     ///< of a path and of the list of actions
    const char* title;    ///< of a button
    const char* meaning;  ///< for the question before it
    store::backfill_state after;
};

inline constexpr backfill_change pause_backfill{
    "pause", "Pause",
    "Nothing more of it is given to the lane until somebody resumes it, and what is newer waits, too.",
    store::backfill_state::paused};
inline constexpr backfill_change resume_backfill{"resume", "Resume", "It goes on where it is.",
                                                 store::backfill_state::running};
inline constexpr backfill_change cancel_backfill{
    "cancel", "Cancel",
    "The broker keeps what it has got and gets no more of it; what is newer goes on. It cannot be resumed.",
    store::backfill_state::cancelled};
inline constexpr std::array backfill_changes{pause_backfill, resume_backfill, cancel_backfill};

/// Of a form: `broker`, `since`, `first`, `types`, `streams`, `database`, `rate`.
/// @throws request_error naming the field
[[nodiscard]] operate::backfill_request backfill_asked_for(const form_values& form);
/// Of a body of the interface, which has lists of `types` and `streams`.
/// @throws request_error, decode_error
[[nodiscard]] operate::backfill_request backfill_asked_for(const json::value& body);

/// Events per second, of a body. @throws request_error, decode_error
[[nodiscard]] double backfill_rate(const json::value& given);

/// `OrderShipped from 2026-11-29T00:00:00Z on, 200 a second`
[[nodiscard]] std::string to_text(const operate::backfill_request& asked);

}  // namespace sluice::console
