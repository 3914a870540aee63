#include "config/check.hpp"

#include <sluice/error.hpp>

#include <algorithm>

#include "config/section.hpp"

namespace sluice::config {

namespace {

template <class Map>
std::vector<std::string> names_of(const Map& entries) {
    std::vector<std::string> names;
    names.reserve(entries.size());
    for (const auto& [name, settings] : entries) names.push_back(name);
    return names;
}

void check_databases(const detail::registry& domain, const configuration& with, std::vector<finding>& found) {
    for (const auto& [cpp_name, aggregate] : domain.aggregates) {
        if (with.databases.contains(aggregate.database)) continue;
        found.push_back({.level = severity::error,
                         .code = "UNKNOWN_DATABASE",
                         .element = aggregate.category,
                         .message = "aggregate " + aggregate.name + " lives in database \"" + aggregate.database +
                                    "\", which is not configured",
                         .remedy = "add [databases." + aggregate.database + "] to " + with.file +
                                   ", or change .database; " +
                                   did_you_mean(aggregate.database, names_of(with.databases), "databases are")});
    }
}

void check_subscribers(const detail::registry& domain, const configuration& with, std::vector<finding>& found) {
    for (const auto& subscriber : domain.subscribers) {
        if (with.brokers.contains(subscriber.broker)) continue;
        found.push_back({.level = severity::error,
                         .code = "UNKNOWN_BROKER",
                         .element = subscriber.name,
                         .message = "subscriber " + subscriber.name + " reads from broker \"" + subscriber.broker +
                                    "\", which is not configured",
                         .remedy = "add [brokers." + subscriber.broker + "] to " + with.file + ", or change .broker; " +
                                   did_you_mean(subscriber.broker, names_of(with.brokers), "brokers are")});
    }
}

void check_published(const detail::registry& domain, const configuration& with, std::vector<finding>& found) {
    const bool publishes = std::any_of(domain.events.begin(), domain.events.end(),
                                       [](const auto& event) { return event.second.published; });
    if (!publishes || !with.outbox.external_brokers.empty()) return;
    found.push_back({.level = severity::warning,
                     .code = "PUBLISHED_NO_EXTERNAL_BROKER",
                     .element = domain.name,
                     .message = "Domain has published events but no external_brokers configured in outbox settings. "
                                "Published events will only be dispatched internally.",
                     .remedy = "list the partners' brokers in [outbox] external_brokers, or do not mark events as "
                               "published"});
}

/// `1, 2 and 5`
std::string listed(const std::vector<int>& versions) {
    std::string list;
    for (std::size_t i = 0; i < versions.size(); ++i) {
        if (i > 0) list += i + 1 == versions.size() ? " and " : ", ";
        list += std::to_string(versions[i]);
    }
    return list;
}

void check_versions(const detail::registry& domain, std::vector<finding>& found) {
    for (const auto& [cpp_name, event] : domain.events) {
        const std::vector<int> gap = domain.unreadable_versions(event);
        if (gap.empty()) continue;
        const std::string oldest = std::to_string(gap.front());
        const std::string next = std::to_string(gap.front() + 1);
        found.push_back({.level = severity::warning,
                         .code = "UPCASTER_GAP",
                         .element = event.fqn,
                         .message = "event " + event.name + " is at version " + std::to_string(event.version) +
                                    ", and nothing leads to it from version " + listed(gap) + ": what was written as " +
                                    domain.type_of(event.name, gap.front()) + " cannot be read",
                         .remedy = "declare domain.upcaster<" + cpp_name + ", sluice::from<" + oldest +
                                   ">, sluice::to<" + next +
                                   ">>(…), unless nothing of that version is left in log and brokers"});
    }
}

void check_reach(const configuration& with, std::vector<finding>& found) {
    for (const std::string& name : with.outbox.external_brokers) {
        const auto settings = with.brokers.find(name);
        if (settings == with.brokers.end() || settings->second.provider != "inline") continue;
        found.push_back({.level = severity::warning,
                         .code = "EXTERNAL_BROKER_IN_PROCESS",
                         .element = "brokers." + name,
                         .message = "external broker \"" + name +
                                    "\" has provider \"inline\": no other process can read it, and it forgets "
                                    "everything when this process ends",
                         .remedy = "use provider \"sqlite\" or a server for what partners shall read"});
    }
}

}  // namespace

const char* to_string(severity level) noexcept { return level == severity::error ? "error" : "warning"; }

std::vector<finding> check(const detail::registry& domain, const configuration& with) {
    std::vector<finding> found;
    check_databases(domain, with, found);
    check_subscribers(domain, with, found);
    check_published(domain, with, found);
    check_versions(domain, found);
    check_reach(with, found);
    return found;
}

void require_no_errors(const std::vector<finding>& found) {
    std::string errors;
    for (const finding& each : found) {
        if (each.level != severity::error) continue;
        errors += (errors.empty() ? "" : "\n") + each.message + (each.remedy.empty() ? "" : "; " + each.remedy);
    }
    if (!errors.empty()) throw configuration_error{errors};
}

}  // namespace sluice::config
