#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/time.hpp>

/// The one logger of the process: the only global state (STYLE). Lines are `event key=value …` or JSON.
///
/// Writing never makes the caller wait: lines go through a bounded queue to a thread that writes them to standard
/// error. What the queue cannot hold, because nobody reads the pipe or the disk is full, is dropped and counted; the
/// next line that gets through is preceded by `log.dropped lines=N`.
namespace sluice::observe {

enum class level { trace, debug, info, warn, error, off };
enum class log_format { text, json };

struct log_settings {
    level threshold = level::info;
    log_format format = log_format::text;
};

/// Call once at start, before threads exist. Lines go to standard error.
void configure_log(const log_settings& settings);

/// What stands behind a key: a text, or a number or a flag, which stay what they are in JSON.
class log_value {
public:
    log_value(std::string text) : text_{std::move(text)} {}
    log_value(std::string_view text) : text_{text} {}
    log_value(const char* text) : text_{text} {}
    log_value(bool flag) : text_{flag ? "true" : "false"}, is_text_{false} {}
    template <std::integral Number>
    log_value(Number number) : text_{std::to_string(number)}, is_text_{false} {}

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] bool is_text() const noexcept { return is_text_; }

private:
    std::string text_;
    bool is_text_ = true;
};

using log_field = std::pair<std::string_view, log_value>;

/// Writes one line: `lane.paused broker=partner_events reason="…"`. Values must hold no secret and no payload.
/// Thread safe; never throws, never waits for a reader.
void log(level lv, std::string_view event, std::initializer_list<log_field> fields = {}) noexcept;
[[nodiscard]] bool log_enabled(level lv) noexcept;

/// Waits until everything logged so far is written, but no longer than `patience`. The end of the process does so by
/// itself for a second; call it before `_exit`. True when nothing is left. Thread safe.
bool flush_log(duration patience) noexcept;

/// Lines that were dropped since the start of the process, because they could not be written in time. Thread safe.
[[nodiscard]] std::uint64_t dropped_log_lines() noexcept;

}  // namespace sluice::observe
