#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// The one logger of the process: the only global state (STYLE). Lines are `event key=value …` or JSON.
namespace sluice::observe {

enum class level { trace, debug, info, warn, error, off };
enum class log_format { text, json };

struct log_settings {
    level threshold = level::info;
    log_format format = log_format::text;
};

/// Call once at start, before threads exist. Lines go to standard error.
void configure_log(const log_settings& settings);

using log_field = std::pair<std::string_view, std::string>;

/// Writes one line: `lane.paused broker=partner_events reason="…"`. Values must hold no secret and no payload.
/// Thread safe; never throws.
void log(level lv, std::string_view event, std::initializer_list<log_field> fields = {}) noexcept;
[[nodiscard]] bool log_enabled(level lv) noexcept;

}  // namespace sluice::observe
