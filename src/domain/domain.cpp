#include <sluice/domain.hpp>

#include <sluice/error.hpp>

#include "base/names.hpp"
#include "domain/declared_events.hpp"
#include "domain/subscription_rules.hpp"
#include "domain/upcasting.hpp"

namespace sluice {

namespace {

void require_known_aggregate(std::vector<std::string>& problems, const detail::registry& declared,
                             const std::string& what, const std::string& name, const std::string& aggregate) {
    if (!declared.aggregates.contains(aggregate)) {
        problems.push_back(what + " `" + name + "` belongs to aggregate `" + aggregate +
                           "`, which is not declared; add `domain.aggregate<" + aggregate + ">()`");
    }
}

void check_process(std::vector<std::string>& problems, const detail::registry& declared,
                   const detail::process_entry& process) {
    using part = detail::process_reaction::part;
    const std::string what = "process manager `" + process.fqn + "`";
    bool starts = false;
    for (const auto& [event, reaction] : process.on) {
        starts = starts || reaction.role == part::starts;
        detail::require_declared(problems, declared, what, event);
    }
    if (!starts) {
        problems.push_back(what + " can never begin; name an event that starts it: `.starts<Event>(&Event::member)`");
    }
    const auto refuse_category = [&](const std::string& other, const std::string& category) {
        if (category != process.category) return;
        problems.push_back(what + " and `" + other + "` share the stream category `" + category +
                           "`; give one of them another .stream_category");
    };
    for (const auto& [cpp_name, aggregate] : declared.aggregates) refuse_category(cpp_name, aggregate.category);
    for (const auto& [cpp_name, other] : declared.processes) {
        if (cpp_name < process.cpp_name) refuse_category(other.fqn, other.category);
    }
}

/// What a projector reads is rebuilt from one log, in the order of one log.
void require_one_database(std::vector<std::string>& problems, const detail::registry& declared,
                          const detail::projector_entry& projector) {
    std::string first;
    for (const auto& [cpp_name, step] : projector.on) {
        const auto event = declared.events.find(cpp_name);
        if (event == declared.events.end()) {
            detail::require_declared(problems, declared, "projector `" + projector.name + "`", cpp_name);
            continue;
        }
        const auto aggregate = declared.aggregates.find(event->second.aggregate);
        if (aggregate == declared.aggregates.end()) continue;  // told already
        if (first.empty()) first = aggregate->second.database;
        if (aggregate->second.database == first) continue;
        problems.push_back("projector `" + projector.name + "` reads events from databases `" + first + "` and `" +
                           aggregate->second.database +
                           "`, which have no order in common; use a projector and a read model for each");
        return;
    }
}

}  // namespace

domain::domain(std::string name) : registry_{std::make_shared<detail::registry>()} {
    registry_->normalized = base::normalized_domain_name(name);
    registry_->camel = base::camel_domain_name(name);
    registry_->name = std::move(name);
    if (registry_->normalized.empty()) {
        registry_->problems.push_back("domain name `" + registry_->name +
                                      "` has no letter or digit; streams and types are named after it");
    }
}

domain& domain::enrich_events(enricher e) {
    registry_->event_enrichers.push_back(std::move(e));
    return *this;
}

domain& domain::enrich_commands(enricher e) {
    registry_->command_enrichers.push_back(std::move(e));
    return *this;
}

domain& domain::on_trace(trace_subscriber subscriber) {
    registry_->trace_subscribers.push_back(std::move(subscriber));
    return *this;
}

void domain::validate() const {
    std::vector<std::string> problems = registry_->problems;
    for (const auto& [cpp_name, aggregate] : registry_->aggregates) {
        if (aggregate.sourcing && aggregate.sourcing->apply.empty()) {
            problems.push_back("event-sourced aggregate `" + cpp_name +
                               "` has no events, so it could have no state; add `.events<…>()` to its declaration");
        }
    }
    for (const auto& [cpp_name, event] : registry_->events) {
        require_known_aggregate(problems, *registry_, "event", cpp_name, event.aggregate);
    }
    for (const auto& [cpp_name, command] : registry_->commands) {
        require_known_aggregate(problems, *registry_, "command", cpp_name, command.aggregate);
    }
    for (const auto& handler : registry_->event_handlers) {
        for (const auto& [event, reaction] : handler.on) {
            detail::require_declared(problems, *registry_, "event handler `" + handler.name + "`", event);
        }
    }
    for (const auto& [cpp_name, process] : registry_->processes) check_process(problems, *registry_, process);
    for (std::string& problem : problems_of_versions(*registry_)) problems.push_back(std::move(problem));
    for (std::string& each : detail::subscription_problems(*registry_)) problems.push_back(std::move(each));
    for (const auto& projector : registry_->projectors) require_one_database(problems, *registry_, projector);
    if (problems.empty()) return;

    std::string text = "domain `" + registry_->name + "` is not declared correctly:";
    for (const std::string& problem : problems) text += "\n  - " + problem;
    throw configuration_error{text};
}

}  // namespace sluice
