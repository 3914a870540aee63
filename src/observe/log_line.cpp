#include "observe/log_line.hpp"

#include <algorithm>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

namespace sluice::observe {

namespace {

bool is_bare(std::string_view value) {
    return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte < 0x7F && c != '"' && c != '=' && c != '\\';
    });
}

void append_field(std::string& line, std::string_view key, std::string_view value) {
    line += ' ';
    line += key;
    line += '=';
    if (is_bare(value)) {
        line += value;
    } else {
        json::append_string(line, value);
    }
}

}  // namespace

std::string text_line(std::string_view event, std::span<const log_field> fields) {
    std::string line{event};
    for (const auto& [key, value] : fields) append_field(line, key, value.text());
    return line;
}

std::string json_members(std::string_view event, std::span<const log_field> fields) {
    std::string line = "\"event\":";
    json::append_string(line, event);
    for (const auto& [key, value] : fields) {
        line += ',';
        json::append_string(line, key);
        line += ':';
        if (value.is_text()) {
            json::append_string(line, value.text());
        } else {
            line += value.text();
        }
    }
    return line;
}

level level_named(std::string_view word) {
    for (const level each : {level::trace, level::debug, level::info, level::warn, level::error, level::off}) {
        if (word == to_string(each)) return each;
    }
    throw usage_error{"`" + std::string{word} + "` is no level of the log"};
}

}  // namespace sluice::observe

namespace sluice {

const char* to_string(log_level level) noexcept {
    switch (level) {
        case log_level::trace:
            return "trace";
        case log_level::debug:
            return "debug";
        case log_level::info:
            return "info";
        case log_level::warn:
            return "warn";
        case log_level::error:
            return "error";
        case log_level::off:
            break;
    }
    return "off";
}

std::string to_text(const log_record& record) {
    std::string line{record.event};
    for (const auto& [key, value, is_text] : record.fields) observe::append_field(line, key, value);
    return line;
}

json::value to_json(const log_record& record) {
    json::object line{
        {"time", record.time.to_string()}, {"level", to_string(record.level)}, {"event", std::string{record.event}}};
    for (const auto& [key, value, is_text] : record.fields) {
        line.set(std::string{key}, is_text ? json::value{value} : json::parse(value));
    }
    return line;
}

}  // namespace sluice
