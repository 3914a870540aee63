#include "store/history.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <sluice/error.hpp>

namespace sluice::store {

std::string to_text(const history_stamp& stamp) {
    std::string text;
    for (const auto& [name, value] : stamp) text += (text.empty() ? "" : " ") + name + '=' + value;
    return text;
}

history_stamp stamp_from(std::string_view text) {
    history_stamp stamp;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto sign = text.substr(0, end);
        if (const auto equals = sign.find('='); equals != std::string_view::npos) {
            stamp.emplace(sign.substr(0, equals), sign.substr(equals + 1));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return stamp;
}

std::string difference_between(const history_stamp& then, const history_stamp& now) {
    std::string words;
    for (const auto& [name, value] : then) {
        const auto other = now.find(name);
        if (other == now.end() || other->second == value) continue;
        words += fmt::format("{}{} was {} and is {}", words.empty() ? "" : ", ", name, value, other->second);
    }
    return words;
}

history_fault other_history_fault(const std::string& lane, const std::string& difference) {
    return {.code = "OTHER_HISTORY",
            .element = lane,
            .message =
                fmt::format("the database has another history than when lane {} was owned last: {}", lane, difference),
            .remedy =
                "nothing after a failover or an upgrade that lost no commit, the lane begins again at its mark; "
                "after a restore or a failover that lost commits: sluice db adopt; in a copy of a database that "
                "lives on: sluice db adopt --copy"};
}

history_fault open_below_fault(const std::string& lane, std::int64_t mark, std::size_t count, std::int64_t lowest) {
    return {.code = "OPEN_BELOW_MARK",
            .element = lane,
            .message = fmt::format("{} {} of lane {} open below its mark {}, the first is {}: the lane does not look "
                                   "there any more",
                                   count, count == 1 ? "row is" : "rows are", lane, mark, lowest),
            .remedy = "sluice db adopt, which sends them"};
}

void require_domain(const database_history& history, std::string_view database, std::string_view domain) {
    if (history.domain.empty() || history.domain == domain) return;
    throw store_error{fmt::format(
        "{} belongs to domain {}, and this is domain {}: their lanes would carry each other's events; give each a "
        "database or a schema of its own (schema = \"{}\"), or, if the domain has got a new name, run `sluice db adopt "
        "--rename`",
        database, history.domain, domain, domain)};
}

}  // namespace sluice::store
