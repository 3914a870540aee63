#include "observe/log_line.hpp"

#include <algorithm>

#include <sluice/json.hpp>

namespace sluice::observe {

namespace {

bool is_bare(std::string_view value) {
    return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte < 0x7F && c != '"' && c != '=' && c != '\\';
    });
}

}  // namespace

std::string text_line(std::string_view event, std::span<const log_field> fields) {
    std::string line{event};
    for (const auto& [key, value] : fields) {
        line += ' ';
        line += key;
        line += '=';
        if (is_bare(value.text())) {
            line += value.text();
        } else {
            json::append_string(line, value.text());
        }
    }
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

}  // namespace sluice::observe
