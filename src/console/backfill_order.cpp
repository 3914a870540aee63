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

const char* word_for(backfill_change change) noexcept {
    switch (change) {
        case backfill_change::pause:
            return "pause";
        case backfill_change::resume:
            return "resume";
        case backfill_change::cancel:
            break;
    }
    return "cancel";
}

const char* title_of(backfill_change change) noexcept {
    switch (change) {
        case backfill_change::pause:
            return "Pause";
        case backfill_change::resume:
            return "Resume";
        case backfill_change::cancel:
            break;
    }
    return "Cancel";
}

const char* meaning_of(backfill_change change) noexcept {
    switch (change) {
        case backfill_change::pause:
            return "Nothing more of it is given to the lane until somebody resumes it, and what is newer waits, too.";
        case backfill_change::resume:
            return "It goes on where it is.";
        case backfill_change::cancel:
            break;
    }
    return "The broker keeps what it has got and gets no more of it; what is newer goes on. It cannot be resumed.";
}

store::backfill_state state_after(backfill_change change) noexcept {
    switch (change) {
        case backfill_change::pause:
            return store::backfill_state::paused;
        case backfill_change::resume:
            return store::backfill_state::running;
        case backfill_change::cancel:
            break;
    }
    return store::backfill_state::cancelled;
}

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
    const auto given = [&body](std::string_view name) {
        const json::value* const found = body.find(name);
        return found == nullptr || found->is_null() ? nullptr : found;
    };
    const auto text = [&given](std::string_view name) {
        const auto* const found = given(name);
        return found == nullptr ? std::string{} : found->as_string();
    };
    const auto list = [&given](std::string_view name) {
        std::vector<std::string> all;
        if (const auto* const found = given(name)) {
            for (const json::value& each : found->as_array()) all.push_back(each.as_string());
        }
        return all;
    };
    operate::backfill_request asked{.broker = text("broker"),
                                    .database = text("database"),
                                    .first = given("first") == nullptr
                                                 ? std::nullopt
                                                 : std::optional{whole_in(*given("first"), "first", last_number)},
                                    .since = time_in(text("since"), "since"),
                                    .types = list("types"),
                                    .streams = list("streams"),
                                    .rate = given("rate") == nullptr ? 0 : backfill_rate(*given("rate"))};
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
