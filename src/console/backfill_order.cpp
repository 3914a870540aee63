#include "console/backfill_order.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

constexpr std::size_t fastest = 1'000'000;  ///< as the command line has it
constexpr auto last_number = static_cast<std::size_t>(std::numeric_limits<store::sequence>::max());

std::vector<std::string> words_in(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n,";
    std::vector<std::string> words;
    for (auto from = text.find_first_not_of(blanks); from != std::string_view::npos;) {
        const auto to = std::min(text.find_first_of(blanks, from), text.size());
        words.emplace_back(text.substr(from, to - from));
        from = text.find_first_not_of(blanks, to);
    }
    return words;
}

store::sequence whole_in(const json::value& given, std::string_view name, std::size_t most) {
    return static_cast<store::sequence>(number_in(std::to_string(given.as_int()), name, 0, most));
}

/// @throws request_error
void require_sense(const operate::backfill_request& asked) {
    if (asked.broker.empty()) throw operate::wrong_request("broker is missing: say who is to get the events");
    if (asked.first && asked.since) {
        throw operate::wrong_request("first and since contradict each other: give one of them");
    }
}

}  // namespace

operate::backfill_request backfill_asked_for(const form_values& form) {
    operate::backfill_request asked{.broker = form.get("broker"),
                                    .database = form.get("database"),
                                    .since = time_in(form.get("since"), "since"),
                                    .types = words_in(form.get("types")),
                                    .streams = words_in(form.get("streams"))};
    if (!form.get("first").empty()) {
        asked.first = static_cast<store::sequence>(number_in(form.get("first"), "first", 0, last_number));
    }
    asked.rate = static_cast<double>(number_in(form.get("rate"), "rate", 0, fastest));
    require_sense(asked);
    return asked;
}

operate::backfill_request backfill_asked_for(const json::value& body) {
    const auto list = [&body](std::string_view name) {
        std::vector<std::string> all;
        if (const auto* const found = member_in(body, name)) {
            for (const json::value& each : found->as_array()) all.push_back(each.as_string());
        }
        return all;
    };
    operate::backfill_request asked{.broker = text_in(body, "broker"),
                                    .database = text_in(body, "database"),
                                    .since = time_in(text_in(body, "since"), "since"),
                                    .types = list("types"),
                                    .streams = list("streams")};
    if (const auto* const first = member_in(body, "first")) asked.first = whole_in(*first, "first", last_number);
    if (const auto* const rate = member_in(body, "rate")) asked.rate = backfill_rate(*rate);
    require_sense(asked);
    return asked;
}

double backfill_rate(const json::value& given) { return static_cast<double>(whole_in(given, "rate", fastest)); }

std::string to_text(const operate::backfill_request& asked) {
    std::string text = asked.types.empty() ? "all published events" : fmt::format("{}", fmt::join(asked.types, ", "));
    if (!asked.streams.empty()) text += fmt::format(" of {}", fmt::join(asked.streams, ", "));
    if (!asked.database.empty()) text += " in database " + asked.database;
    if (asked.first) text += fmt::format(" from number {} on", *asked.first);
    if (asked.since) text += " from " + asked.since->to_string() + " on";
    if (asked.rate > 0) text += fmt::format(", {:.0f} a second", asked.rate);
    return text;
}

}  // namespace sluice::console
