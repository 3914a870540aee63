#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "operate/open_databases.hpp"

/// What several databases or brokers answer, in one list.
namespace sluice::operate {

enum class time_order { newest_first, oldest_first };

/// Orders by time what came from several places; what has the same time stays in the order of the places.
/// @param limit  what comes after so many is dropped
template <class T, class TimeOf>
void merge_by_time(std::vector<T>& all, time_order order, std::size_t limit, const TimeOf& time_of) {
    std::ranges::stable_sort(all, [&](const T& a, const T& b) {
        return order == time_order::newest_first ? time_of(a) > time_of(b) : time_of(a) < time_of(b);
    });
    if (all.size() > limit) all.erase(all.begin() + static_cast<std::ptrdiff_t>(limit), all.end());
}

/// Asks each database in turn. @param read  gives a vector for a session
/// @tparam Located  made of the database's name and an element
/// @throws whatever `read` throws
template <class Located, class Read>
[[nodiscard]] std::vector<Located> from_all(const std::vector<open_database>& databases, const Read& read) {
    std::vector<Located> all;
    for (const open_database& database : databases) {
        for (auto& each : read(*database.session)) all.push_back(Located{database.name, std::move(each)});
    }
    return all;
}

}  // namespace sluice::operate
