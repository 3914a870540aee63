#include "observe/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <memory>

#include "observe/log_line.hpp"

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

/// The process's logger and the format of its lines.
struct sink {
    sink() : logger{"sluice", std::make_shared<spdlog::sinks::stderr_sink_mt>()} { configure({}); }

    void configure(const log_settings& settings) {
        format = settings.format;
        logger.set_formatter(
            std::make_unique<spdlog::pattern_formatter>(pattern_of(settings.format), spdlog::pattern_time_type::utc));
        logger.set_level(native(settings.threshold));
    }

    spdlog::logger logger;
    std::atomic<log_format> format{log_format::text};
};

sink& the_sink() {
    static sink instance;
    return instance;
}

}  // namespace

void configure_log(const log_settings& settings) { the_sink().configure(settings); }

bool log_enabled(level lv) noexcept {
    try {
        return lv != level::off && the_sink().logger.should_log(native(lv));
    } catch (...) {
        return false;
    }
}

void log(level lv, std::string_view event, std::initializer_list<log_field> fields) noexcept {
    if (!log_enabled(lv)) return;
    try {
        auto& to = the_sink();
        const auto line = to.format == log_format::json ? json_members(event, fields) : text_line(event, fields);
        to.logger.log(native(lv), spdlog::string_view_t{line.data(), line.size()});
    } catch (...) {
        // Work goes on when its log line cannot be written.
    }
}

}  // namespace sluice::observe
