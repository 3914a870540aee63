#include "observe/log.hpp"

#include <pthread.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/sink.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "observe/line_writer.hpp"
#include "observe/log_line.hpp"
#include "observe/span.hpp"

namespace sluice::observe {

namespace {

spdlog::level::level_enum native(level lv) {
    switch (lv) {
        case level::trace:
            return spdlog::level::trace;
        case level::debug:
            return spdlog::level::debug;
        case level::info:
            return spdlog::level::info;
        case level::warn:
            return spdlog::level::warn;
        case level::error:
            return spdlog::level::err;
        case level::off:
            break;
    }
    return spdlog::level::off;
}

const char* pattern_of(log_format format) {
    return format == log_format::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%f+00:00","level":"%l",%v})"
                                      : "%Y-%m-%dT%H:%M:%S.%f+00:00 %l %v";
}

/// Of the application that the current thread works for.
thread_local const log_route* route_here = nullptr;

std::atomic<level> threshold{level::info};
std::atomic<log_format> format{log_format::text};

/// The line of a thread that works for a span names it.
constexpr const char* trace_key = "trace_id";
constexpr const char* span_key = "span_id";

std::string in_format(std::string_view event, std::span<const log_field> fields) {
    return format == log_format::json ? json_members(event, fields) : text_line(event, fields);
}

/// Formats as spdlog does, and hands the lines to a thread that writes them.
class queueing_sink final : public spdlog::sinks::sink {
public:
    void log(const spdlog::details::log_msg& message) override { writer_.write(formatted(message)); }
    void flush() override {}
    void set_pattern(const std::string& pattern) override {
        set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
    }
    void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
        const std::lock_guard lock{mutex_};
        formatter_ = std::move(formatter);
    }

    [[nodiscard]] line_writer& writer() noexcept { return writer_; }

private:
    [[nodiscard]] std::string formatted(const spdlog::details::log_msg& message) {
        spdlog::memory_buf_t line;
        const std::lock_guard lock{mutex_};
        formatter_->format(message, line);
        return {line.data(), line.size()};
    }

    [[nodiscard]] std::string missing(std::uint64_t lines) {
        const std::array<log_field, 1> fields{{{"lines", lines}}};
        const std::string text = in_format("log.dropped", fields);
        return formatted({"sluice", spdlog::level::warn, text});
    }

    std::mutex mutex_;
    std::unique_ptr<spdlog::formatter> formatter_ = std::make_unique<spdlog::pattern_formatter>();
    line_writer writer_{STDERR_FILENO, [this](std::uint64_t lines) { return missing(lines); }};
};

/// The process's logger.
struct log_target {
    log_target() : lines{std::make_shared<queueing_sink>()}, logger{"sluice", lines} { configure(); }

    void configure() {
        logger.set_formatter(
            std::make_unique<spdlog::pattern_formatter>(pattern_of(format), spdlog::pattern_time_type::utc));
        logger.set_level(native(threshold));
    }

    std::shared_ptr<queueing_sink> lines;
    spdlog::logger logger;
};

/// Never destroyed: threads may log until the process is gone.
std::atomic<log_target*> current{nullptr};

/// The thread that writes exists in the parent only.
void forget_after_fork() { current = nullptr; }

void write_the_rest() {
    constexpr auto patience = std::chrono::seconds{1};
    flush_log(patience);
}

log_target& target() {
    if (log_target* const known = current) return *known;
    static const bool prepared = [] {
        pthread_atfork(nullptr, nullptr, forget_after_fork);
        return std::atexit(write_the_rest) == 0;
    }();
    static_cast<void>(prepared);
    auto made = std::make_unique<log_target>();
    log_target* other = nullptr;
    return current.compare_exchange_strong(other, made.get()) ? *made.release() : *other;
}

}  // namespace

void log_route::write(level lv, std::string_view event, std::initializer_list<log_field> fields) const noexcept {
    if (!takes(lv)) return;
    try {
        std::vector<log_entry> entries;
        entries.reserve(fields.size() + 2);
        for (const auto& [key, value] : fields) {
            entries.push_back({.key = key, .value = value.text(), .is_text = value.is_text()});
        }
        if (const trace_parent* const here = span_here()) {
            entries.push_back({.key = trace_key, .value = here->trace_id});
            entries.push_back({.key = span_key, .value = here->parent_id});
        }
        sink_({.time = system_clock().now(), .level = lv, .event = event, .fields = entries});
    } catch (...) {
        // Work goes on when its log line cannot be written.
    }
}

log_scope::log_scope(std::shared_ptr<const log_route> route) noexcept : route_{std::move(route)}, before_{route_here} {
    if (route_) route_here = route_.get();
}

log_scope::~log_scope() { route_here = before_; }

std::shared_ptr<const log_route> log_route_of_this_thread() {
    return route_here == nullptr ? nullptr : route_here->shared_from_this();
}

void configure_log(const log_settings& settings) {
    threshold = settings.threshold;
    format = settings.format;
    target().configure();
}

void change_log_threshold(level to) { target().logger.set_level(native(to)); }

bool log_enabled(level lv) noexcept {
    if (route_here != nullptr) return route_here->takes(lv);
    try {
        return lv != level::off && target().logger.should_log(native(lv));
    } catch (...) {
        return false;
    }
}

void log(level lv, std::string_view event, std::initializer_list<log_field> fields) noexcept {
    if (!log_enabled(lv)) return;
    if (route_here != nullptr) return route_here->write(lv, event, fields);
    try {
        std::vector<log_field> with_span;
        if (const trace_parent* const here = span_here()) {
            with_span.assign(fields);
            with_span.emplace_back(trace_key, here->trace_id);
            with_span.emplace_back(span_key, here->parent_id);
        }
        const auto line = in_format(event, with_span.empty() ? std::span<const log_field>{fields} : with_span);
        target().logger.log(native(lv), spdlog::string_view_t{line.data(), line.size()});
    } catch (...) {
        // Work goes on when its log line cannot be written.
    }
}

bool flush_log(duration patience) noexcept {
    log_target* const known = current;
    return known == nullptr || known->lines->writer().flush(patience);
}

std::uint64_t dropped_log_lines() noexcept {
    log_target* const known = current;
    return known == nullptr ? 0 : known->lines->writer().dropped();
}

}  // namespace sluice::observe
