#pragma once

#include <string>

#include <sluice/json.hpp>

namespace sluice::operate {

/// A database or broker that does not answer.
struct outage {
    enum class kind { database, broker };

    kind what = kind::database;
    std::string name;
    std::string reason;

    /// `database default`, `broker partner_events`.
    [[nodiscard]] std::string subject() const { return (what == kind::database ? "database " : "broker ") + name; }
};

[[nodiscard]] inline json::value to_json(const outage& away) {
    return json::object{{"what", away.subject()}, {"reason", away.reason}};
}

}  // namespace sluice::operate
