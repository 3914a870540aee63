#pragma once

#include <array>
#include <string>

#include "console/router.hpp"
#include "operate/backfills.hpp"

/// Orders of backfills, as pages and the interface give them.
namespace sluice::console {

/// What can be done to a backfill under way.
enum class backfill_change { pause, resume, cancel };

inline constexpr std::array backfill_changes{backfill_change::pause, backfill_change::resume, backfill_change::cancel};

/// `pause`, of a path and of the list of actions.
[[nodiscard]] const char* word_for(backfill_change change) noexcept;
/// `Pause`
[[nodiscard]] const char* title_of(backfill_change change) noexcept;
/// What it means, for the question before it.
[[nodiscard]] const char* meaning_of(backfill_change change) noexcept;
[[nodiscard]] store::backfill_state state_after(backfill_change change) noexcept;

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
