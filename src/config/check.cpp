#include "config/check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sluice/detail/raised_events.hpp>
#include <sluice/domain.hpp>
#include <sluice/error.hpp>

#include <algorithm>
#include <map>
#include <set>

#include "config/address_check.hpp"
#include "config/check_connections.hpp"
#include "config/check_lanes.hpp"
#include "config/check_stream_names.hpp"
#include "config/section.hpp"
#include "config/subscription_profiles.hpp"
#include "config/subscription_resolution.hpp"

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

void check_hosts(const configuration& with, std::vector<finding>& found) {
    for (const auto& [name, settings] : with.databases) {
        if (!settings.kind->takes_any_of_several_hosts(settings.database_uri)) continue;
        found.push_back({.level = severity::warning,
                         .code = "ANY_HOST",
                         .element = "databases." + name,
                         .message = "database_uri of database \"" + name +
                                    "\" names several hosts and no target_session_attrs: a standby that answers first "
                                    "is taken, where nothing can be written and what is read may be old",
                         .remedy = "add target_session_attrs=read-write to database_uri"});
    }
}

void check_processes(const detail::registry& domain, const configuration& with, std::vector<finding>& found) {
    for (const auto& [cpp_name, process] : domain.processes) {
        if (with.databases.contains(process.database)) continue;
        found.push_back({.level = severity::error,
                         .code = "UNKNOWN_DATABASE",
                         .element = process.fqn,
                         .message = "process manager " + process.fqn + " lives in database \"" + process.database +
                                    "\", which is not configured",
                         .remedy = "add [databases." + process.database + "] to " + with.file +
                                   ", or change .database; " +
                                   did_you_mean(process.database, names_of(with.databases), "databases are")});
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

/// Found here and not by the first command that raises one.
void check_raised(const detail::registry& domain, std::vector<finding>& found) {
    for (const auto& [event, aggregate] : detail::raised_events()) {
        if (!domain.aggregates.contains(aggregate) || domain.events.contains(event)) continue;
        found.push_back({.level = severity::error,
                         .code = "UNDECLARED_EVENT",
                         .element = event,
                         .message = "aggregate " + aggregate + " raises event " + event + ", which is not declared",
                         .remedy = "add it to `.events<…>()` of the aggregate"});
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
        if (settings == with.brokers.end() || settings->second.kind->is_shared_between_processes()) continue;
        found.push_back({.level = severity::warning,
                         .code = "EXTERNAL_BROKER_IN_PROCESS",
                         .element = "brokers." + name,
                         .message = "external broker \"" + name + "\" has provider \"" + settings->second.provider +
                                    "\": no other process can read it, and it forgets everything when this process "
                                    "ends",
                         .remedy = "use provider \"sqlite\" or a server for what partners shall read"});
    }
}

bool is_command_handler(const detail::registry& domain, std::string_view name) {
    return std::any_of(domain.commands.begin(), domain.commands.end(), [&](const auto& command) {
        return command.second.handler == name || ends_in_part(command.second.handler, name);
    });
}

/// Full names, and the last parts that mean one subscription alone.
std::vector<std::string> names_to_suggest(const std::vector<declared_subscription>& declared) {
    std::set<std::string> names;
    for (const declared_subscription& each : declared) {
        names.insert(each.name);
        const std::string last = each.name.substr(each.name.rfind('.') + 1);
        if (subscriptions_meant(last, declared).size() == 1) names.insert(last);
    }
    return {names.begin(), names.end()};
}

/// Every [server.subscriptions.NAME] must mean exactly one subscription, and no two of them the same.
void check_subscription_names(const detail::registry& domain, const std::vector<declared_subscription>& declared,
                              const configuration& with, std::vector<finding>& found) {
    std::map<std::string, std::string> section_of;
    for (const auto& [name, options] : with.server.subscriptions) {
        const std::string section = join_key("server.subscriptions", name);
        const auto complain = [&](const char* code, std::string message, std::string remedy) {
            found.push_back({.level = severity::error,
                             .code = code,
                             .element = section,
                             .message = "[" + section + "] " + std::move(message),
                             .remedy = std::move(remedy)});
        };
        const std::vector<std::string> meant = subscriptions_meant(name, declared);
        if (meant.empty()) {
            complain("UNKNOWN_SUBSCRIPTION", "names no handler of domain " + domain.name,
                     is_command_handler(domain, name)
                         ? "all command handlers share one subscription: use [server.subscriptions.commands]"
                         : did_you_mean(name, names_to_suggest(declared), "subscriptions are"));
        } else if (meant.size() > 1) {
            complain("AMBIGUOUS_SUBSCRIPTION", fmt::format("means several handlers: {}", fmt::join(meant, ", ")),
                     "write the full name in quotes: [server.subscriptions.\"" + meant.front() + "\"]");
        } else if (const auto [first, is_new] = section_of.emplace(meant.front(), section); !is_new) {
            complain("AMBIGUOUS_SUBSCRIPTION", "means " + meant.front() + " like [" + first->second + "]",
                     "put their keys into one section");
        }
    }
}

/// Whether somebody has said for this very subscription that messages shall share transactions.
bool is_to_share_transactions(const resolved_subscription& how) {
    const auto decided = std::ranges::find(how.decided, "messages_per_transaction", &decided_setting::key);
    const bool is_meant = decided->source == setting_source::code || decided->source == setting_source::handler_section;
    return is_meant && how.settings.messages_per_transaction > 1;
}

/// What is said in the code and can be judged with the file only.
void check_subscriptions(const detail::registry& domain, const configuration& with, std::vector<finding>& found) {
    const std::vector<declared_subscription> declared = declared_subscriptions(domain);
    check_subscription_names(domain, declared, with, found);
    std::set<std::string> told;
    for (const declared_subscription& each : declared) {
        const std::string& profile = each.in_code.profile;
        if (!profile.empty() && find_profile(profile, with.server.profiles) == nullptr) {
            if (!told.insert(each.what).second) continue;
            found.push_back(
                {.level = severity::error,
                 .code = "UNKNOWN_PROFILE",
                 .element = each.name,
                 .message = each.what + " wants the profile \"" + profile + "\", which does not exist",
                 .remedy = did_you_mean(profile_key(profile), profile_names(with.server.profiles), "profiles are") +
                           " Or add [" + join_key("server.profiles", profile) + "] to " + with.file});
            continue;
        }
        const auto how = resolve_subscription(each.name, each.in_code, domain, with.server);
        if (!each.shares_transactions && is_to_share_transactions(how) &&
            told.insert("transactions of " + each.what).second) {
            found.push_back({.level = severity::warning,
                             .code = "NO_SHARED_TRANSACTIONS",
                             .element = each.name,
                             .message = each.what + " handles each message in a transaction of its own, so its "
                                                    "messages_per_transaction has no effect",
                             .remedy = "remove it"});
        }
        if (how.settings.enable_dlq || !told.insert(each.what).second) continue;
        found.push_back({.level = severity::warning,
                         .code = "NO_DEAD_LETTERS",
                         .element = each.name,
                         .message = each.what +
                                    " has enable_dlq = false: a message that fails for the last time, or that "
                                    "cannot be read, is dropped and only the log tells",
                         .remedy = "leave enable_dlq at true (profile debug sets it to false) where messages matter"});
    }
}

}  // namespace

const char* to_string(severity level) noexcept { return level == severity::error ? "error" : "warning"; }

std::vector<finding> check(const detail::registry& domain, const configuration& with) {
    std::vector<finding> found;
    check_databases(domain, with, found);
    check_hosts(with, found);
    check_processes(domain, with, found);
    check_subscribers(domain, with, found);
    check_subscriptions(domain, with, found);
    check_raised(domain, found);
    check_published(domain, with, found);
    check_lanes(domain, with, found);
    check_stream_names(domain, with, found);
    check_connections(domain, with, found);
    check_versions(domain, found);
    check_reach(with, found);
    check_addresses(with, found);
    return found;
}

std::vector<finding> findings_of(const domain& declared, const configuration& with) {
    std::vector<finding> found;
    try {
        declared.validate();
    } catch (const configuration_error& e) {
        found.push_back({.level = severity::error,
                         .code = "DECLARATION",
                         .element = declared.name(),
                         .message = e.what(),
                         .remedy = {}});
    }
    for (finding& each : check(declared.declared(), with)) found.push_back(std::move(each));
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
