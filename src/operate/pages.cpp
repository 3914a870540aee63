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

std::optional<store::sequence> end_of(const page_position& from, const std::string& database,
                                      const std::optional<store::sequence>& asked) {
    const auto begin = from.find(database);
    if (begin == from.end()) return asked;
    const store::sequence upto = begin->second - 1;
    return asked ? std::min(*asked, upto) : upto;
}

/// Takes the newest of several databases until there are `limit`. Each keeps the order of its numbers, which that of
/// the times need not be: so nothing is skipped.
/// @param lists  one for each database
/// @param number_of, time_of  of an element
template <class Element, class NumberOf, class TimeOf>
page<Element> merge(std::vector<std::vector<Element>> lists, std::size_t limit, const page_position& from,
                    const NumberOf& number_of, const TimeOf& time_of) {
    page<Element> result{.next = from};
    std::vector<std::size_t> taken(lists.size(), 0);
    for (;;) {
        std::optional<std::size_t> newest;
        for (std::size_t i = 0; i < lists.size(); ++i) {
            if (taken[i] == lists[i].size()) continue;
            if (!newest || time_of(lists[i][taken[i]]) > time_of(lists[*newest][taken[*newest]])) newest = i;
        }
        if (!newest) return result;
        std::vector<Element>& list = lists[*newest];
        const store::sequence number = number_of(list[taken[*newest]]);
        if (result.elements.size() >= limit) {
            result.has_more = true;
            return result;
        }
        result.next[list[taken[*newest]].database] = number;
        for (std::size_t& i = taken[*newest]; i < list.size() && number_of(list[i]) == number; ++i) {
            result.elements.push_back(std::move(list[i]));
        }
    }
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

page<located_row> page_of_rows(const std::vector<open_database>& databases, store::outbox_filter filter,
                               const page_position& from) {
    const std::size_t limit = filter.limit;
    filter.limit = limit + most_of_a_number;
    const auto upto = filter.upto;
    std::vector<std::vector<located_row>> lists;
    for (const open_database& database : databases) {
        filter.upto = end_of(from, database.name, upto);
        std::vector<located_row>& list = lists.emplace_back();
        for (store::outbox_row& row : database.session->list(filter)) list.push_back({database.name, std::move(row)});
    }
    return merge(
        std::move(lists), limit, from, [](const located_row& each) { return each.row.seq; },
        [](const located_row& each) { return each.row.created_at; });
}

page<located_event> page_of_events(const std::vector<open_database>& databases, store::event_filter filter,
                                   const page_position& from) {
    const std::size_t limit = filter.limit;
    filter.limit = limit + 1;
    filter.newest_first = true;
    const auto upto = filter.upto;
    std::vector<std::vector<located_event>> lists;
    for (const open_database& database : databases) {
        filter.upto = end_of(from, database.name, upto);
        std::vector<located_event>& list = lists.emplace_back();
        for (store::stream_event& event : database.session->events(filter)) {
            list.push_back({database.name, std::move(event)});
        }
    }
    return merge(
        std::move(lists), limit, from, [](const located_event& each) { return each.at.seq; },
        [](const located_event& each) { return each.at.event.created_at; });
}

}  // namespace sluice::operate
