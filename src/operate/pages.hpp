#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "operate/events.hpp"
#include "operate/outbox_rows.hpp"
#include "operate/page_search.hpp"

/// Long lists, page by page, the newest first. A page ends between two numbers of a log, never within one, so that
/// nothing is left out however many rows a number has. Where what matches is rare, a page ends when its time is up,
/// with what was found by then.
namespace sluice::operate {

/// Where a page begins: in each database below this number. A database that is not there begins at its end.
using page_position = std::map<std::string, store::sequence>;

/// `default:120,archive:7`
[[nodiscard]] std::string to_text(const page_position& position);
/// @throws request_error (wrong_request) for a text that is none
[[nodiscard]] page_position position_from(std::string_view text);

/// A part of a list.
template <class Element>
struct page {
    std::vector<Element> elements{};
    bool has_more = false;      ///< or may have more: see `is_cut_short`
    bool is_cut_short = false;  ///< its time was up: the next page looks further
    page_position next{};       ///< where the next one begins
};

/// @param filter  `limit`: about how many
/// @throws store_error
[[nodiscard]] page<located_row> page_of_rows(const std::vector<open_database>& databases,
                                             const store::outbox_filter& filter, const page_position& from,
                                             const page_budget& budget = {});
/// @throws store_error
[[nodiscard]] page<located_event> page_of_events(const std::vector<open_database>& databases,
                                                 store::event_filter filter, const page_position& from,
                                                 const page_budget& budget = {});

}  // namespace sluice::operate
