#include "operate/pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/one_line.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

/// Rows of one event: one for each broker.
constexpr std::size_t most_of_a_number = 64;

/// What was found in one database, the newest first.
template <class Element>
struct found_in {
    std::string database;
    std::vector<Element> elements{};
    store::sequence looked_down_to = 0;  ///< everything above this number was looked at
    bool is_through = false;             ///< nothing is left to be looked at
    std::size_t taken = 0;
};

/// Whether the text can only name the stream of one aggregate, `shop::order-1`, not a category. An index finds its
/// events.
bool is_one_stream(const std::string& stream) {
    const auto context = stream.find("::");
    return context != std::string::npos && stream.find('-', context) != std::string::npos;
}
bool has_key(const store::outbox_filter& filter) { return !filter.message_id.empty() || is_one_stream(filter.stream); }
bool has_key(const store::event_filter& filter) { return is_one_stream(filter.stream); }

/// Looks through each database until it has `wanted`, or its share of the time is up. What has a key is not searched.
/// @param list  what a session has for a filter
template <class Element, class Filter, class List>
std::vector<found_in<Element>> look_through(const std::vector<open_database>& databases, const Filter& filter,
                                            std::size_t wanted, const page_position& from, const page_budget& budget,
                                            const List& list) {
    constexpr store::sequence first_stretch = 1'000;
    std::vector<found_in<Element>> all;
    for (const open_database& database : databases) {
        found_in<Element> found{.database = database.name};
        const auto begin = from.find(database.name);
        const auto end = begin != from.end() ? begin->second - 1 : last_number(*database.session);
        const auto upto = std::min(filter.upto.value_or(end), end);
        page_search search{filter.after, upto, has_key(filter) ? std::max(upto, first_stretch) : first_stretch};
        const auto until = budget.now() + budget.time / databases.size();
        while (const auto range = search.next()) {
            const auto began = budget.now();
            Filter within = filter;
            within.after = range->after;
            within.upto = range->upto;
            within.limit = wanted - found.elements.size();
            for (auto& each : list(*database.session, within)) {
                found.elements.push_back({database.name, std::move(each)});
            }
            if (found.elements.size() >= wanted) break;
            const auto now = budget.now();
            search.looked(now - began, until - now);
        }
        found.looked_down_to = search.looked_down_to();
        found.is_through = search.is_through();
        all.push_back(std::move(found));
    }
    return all;
}

/// Takes the newest of several databases until there are `limit`. Each keeps the order of its numbers, which that of
/// the times need not be: so nothing is skipped.
/// @param number_of, time_of  of an element
template <class Element, class NumberOf, class TimeOf>
page<Element> merge(std::vector<found_in<Element>> lists, std::size_t limit, const page_position& from,
                    const NumberOf& number_of, const TimeOf& time_of) {
    page<Element> result{.next = from};
    const auto is_at_end = [](const found_in<Element>& each) { return each.taken == each.elements.size(); };
    while (result.elements.size() < limit) {
        found_in<Element>* newest = nullptr;
        for (found_in<Element>& each : lists) {
            if (is_at_end(each)) continue;
            if (newest == nullptr || time_of(each.elements[each.taken]) > time_of(newest->elements[newest->taken])) {
                newest = &each;
            }
        }
        if (newest == nullptr) break;
        const store::sequence number = number_of(newest->elements[newest->taken]);
        result.next[newest->database] = number;
        for (auto& i = newest->taken; !is_at_end(*newest) && number_of(newest->elements[i]) == number; ++i) {
            result.elements.push_back(std::move(newest->elements[i]));
        }
    }
    for (const found_in<Element>& each : lists) {
        if (!is_at_end(each)) {
            result.has_more = true;
            continue;
        }
        result.next[each.database] = each.looked_down_to + 1;
        if (!each.is_through) result.has_more = result.is_cut_short = true;
    }
    return result;
}

}  // namespace

std::string to_text(const page_position& position) {
    std::string text;
    for (const auto& [database, number] : position) {
        text += fmt::format("{}{}:{}", text.empty() ? "" : ",", database, number);
    }
    return text;
}

page_position position_from(std::string_view text) {
    page_position position;
    while (!text.empty()) {
        const std::string_view part = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), part.size() + 1));
        const auto colon = part.rfind(':');
        store::sequence number = 0;
        const char* const end = part.data() + part.size();
        const auto read = colon == std::string_view::npos ? std::from_chars_result{part.data(), std::errc{}}
                                                          : std::from_chars(part.data() + colon + 1, end, number);
        if (colon == std::string_view::npos || colon == 0 || read.ec != std::errc{} || read.ptr != end || number < 0) {
            throw wrong_request(fmt::format("`{}` is no place where a page begins; take it from the page before",
                                            base::one_line(part, 60)));
        }
        position[std::string{part.substr(0, colon)}] = number;
    }
    return position;
}

page<located_row> page_of_rows(const std::vector<open_database>& databases, const store::outbox_filter& filter,
                               const page_position& from, const page_budget& budget) {
    auto lists = look_through<located_row>(
        databases, filter, filter.limit + most_of_a_number, from, budget,
        [](store::operations_session& session, const auto& within) { return session.list(within); });
    return merge(
        std::move(lists), filter.limit, from, [](const located_row& each) { return each.row.seq; },
        [](const located_row& each) { return each.row.created_at; });
}

page<located_event> page_of_events(const std::vector<open_database>& databases, store::event_filter filter,
                                   const page_position& from, const page_budget& budget) {
    filter.newest_first = true;
    auto lists = look_through<located_event>(
        databases, filter, filter.limit + 1, from, budget,
        [](store::operations_session& session, const auto& within) { return session.events(within); });
    return merge(
        std::move(lists), filter.limit, from, [](const located_event& each) { return each.at.seq; },
        [](const located_event& each) { return each.at.event.created_at; });
}

}  // namespace sluice::operate
