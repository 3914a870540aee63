#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

namespace sluice {

namespace json {
class value;
}

/// How much a line of the log matters. `off` is only a threshold: no line has it.
enum class log_level { trace, debug, info, warn, error, off };
/// `trace`, `debug`, `info`, `warn`, `error`, `off`.
[[nodiscard]] const char* to_string(log_level level) noexcept;

/// A key of a log line with its value. The views are valid during the call of the sink only.
///
/// Thread safety: none; it is read by the thread that logs.
struct log_entry {
    std::string_view key{};
    std::string_view value{};
    bool is_text = true;  ///< else a number or a flag, as JSON writes it
};

/// One line of the log before it is a text: `lane.paused` with its keys and values. It holds no secret and no payload.
/// The views are valid during the call of the sink only.
///
/// Thread safety: none; it is read by the thread that logs.
struct log_record {
    date_time time{};
    log_level level = log_level::info;
    std::string_view event{};
    std::span<const log_entry> fields{};
};

/// `lane.paused broker=partner reason="no such host"`: event and fields on one line, without time, level and line end.
[[nodiscard]] std::string to_text(const log_record& record);
/// One JSON object with `time`, `level`, `event` and the fields.
[[nodiscard]] json::value to_json(const log_record& record);

/// Receives the log of an application, line by line, on the thread that logs: be quick, and thread safe. It must not
/// call the application. What it throws is dropped.
using log_sink = std::function<void(const log_record&)>;

}  // namespace sluice
