#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/log.hpp>
#include <sluice/time.hpp>

/// The log. A thread that works for an application with a log of its own writes there (`log_scope`); every other thread
/// writes to the logger of the process, the only global state. Lines are `event key=value …` or JSON.
///
/// A line of a thread that works for a span (`span_scope`) ends with `trace_id` and `span_id`.
///
/// Writing never makes the caller wait: lines go through a bounded queue to a thread that writes them to standard
/// error. What the queue cannot hold, because nobody reads the pipe or the disk is full, is dropped and counted; the
/// next line that gets through is preceded by `log.dropped lines=N`.
namespace sluice::observe {

using level = log_level;
/// @param word  of `[log] level`. @throws usage_error for another one
[[nodiscard]] level level_named(std::string_view word);
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

/// Where the lines of one application go instead of to the log of the process.
///
/// Thread safety: immutable; as safe as its sink.
class log_route final : public std::enable_shared_from_this<log_route> {
public:
    /// @param threshold  lines that matter less are not written
    /// @param sink  may be empty: then nothing is written
    log_route(level threshold, log_sink sink) : threshold_{threshold}, sink_{std::move(sink)} {}

    [[nodiscard]] bool takes(level lv) const noexcept { return sink_ && lv >= threshold_ && lv != level::off; }
    void write(level lv, std::string_view event, std::initializer_list<log_field> fields) const noexcept;

private:
    level threshold_;
    log_sink sink_;
};

/// What the current thread logs goes to the route for as long as this object lives. Null changes nothing.
///
/// Thread safety: none; scopes of one thread end in the reverse order of their begin. Lifetime: keeps the route alive.
class log_scope {
public:
    explicit log_scope(std::shared_ptr<const log_route> route) noexcept;
    log_scope(const log_scope&) = delete;
    log_scope& operator=(const log_scope&) = delete;
    ~log_scope();

private:
    std::shared_ptr<const log_route> route_;
    const log_route* before_;
};

/// For the threads that this thread starts: they work for the same application. Null: the log of the process.
[[nodiscard]] std::shared_ptr<const log_route> log_route_of_this_thread();

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
