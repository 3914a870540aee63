#include "store/lane_pause.hpp"

#include <sluice/error.hpp>

namespace sluice::store {

std::string to_text(const lane_pause& pause) { return pause.since.to_string() + ' ' + pause.reason; }

lane_pause pause_from(std::string_view text) {
    const auto end = text.find(' ');
    try {
        const date_time since = date_time::parse(text.substr(0, end));
        return {.since = since, .reason = std::string{end == std::string_view::npos ? "" : text.substr(end + 1)}};
    } catch (const decode_error&) {
        return {.reason = std::string{text}};
    }
}

std::string describe(const lane_pause& pause) {
    return "paused by an operator since " + pause.since.to_string() + (pause.reason.empty() ? "" : ": " + pause.reason);
}

}  // namespace sluice::store
