#include <sluice/registry.hpp>

#include <algorithm>
#include <iterator>

#include <sluice/error.hpp>

#include "base/names.hpp"

namespace sluice::detail {

namespace {

std::string message_type_of(const registry& in, const std::string& name, int version) {
    return in.camel + "." + name + ".v" + std::to_string(version);
}

template <class Map, class Predicate>
const typename Map::mapped_type* find_entry(const Map& entries, Predicate matches) {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const auto& pair) { return matches(pair.second); });
    return found == entries.end() ? nullptr : &found->second;
}

}  // namespace

const aggregate_entry& registry::aggregate(std::string_view cpp_name) const {
    const auto found = aggregates.find(cpp_name);
    if (found == aggregates.end()) {
        throw usage_error{"aggregate `" + std::string{cpp_name} + "` is not declared in domain `" + name +
                          "`; add `domain.aggregate<" + std::string{cpp_name} + ">()`"};
    }
    return found->second;
}

const event_entry* registry::event_by_type(std::string_view type) const {
    return find_entry(events, [&](const event_entry& entry) { return entry.type == type; });
}

const command_entry* registry::command_by_name(std::string_view wanted) const {
    return find_entry(commands, [&](const command_entry& entry) { return entry.name == wanted; });
}

const command_entry* registry::command_by_type(std::string_view type) const {
    return find_entry(commands, [&](const command_entry& entry) { return entry.type == type; });
}

void registry::add(aggregate_entry entry) {
    const std::string own_part = entry.category.empty() ? base::underscore(entry.name) : entry.category;
    entry.category = normalized + "::" + own_part;
    for (const auto& [cpp_name, other] : aggregates) {
        if (other.name == entry.name || other.category == entry.category) {
            problems.push_back("aggregates `" + cpp_name + "` and `" + entry.cpp_name +
                               "` share a name or a stream category; give one a name of its own in aggregate_options");
            return;
        }
    }
    std::string key = entry.cpp_name;
    aggregates.emplace(std::move(key), std::move(entry));
}

void registry::add(event_entry entry) {
    entry.type = message_type_of(*this, entry.name, entry.version);
    entry.fqn = base::dotted(entry.cpp_name);
    if (event_by_type(entry.type) != nullptr) {
        problems.push_back("event type `" + entry.type + "` is declared twice; each needs its own name or version");
        return;
    }
    std::string key = entry.cpp_name;
    events.emplace(std::move(key), std::move(entry));
}

void registry::add(command_entry entry) {
    entry.type = message_type_of(*this, entry.name, entry.version);
    entry.fqn = base::dotted(entry.cpp_name);
    entry.handler = base::dotted(entry.handler);
    if (const command_entry* other = command_by_name(entry.name)) {
        problems.push_back("command `" + entry.name + "` has two handlers, `" + other->handler + "` and `" +
                           entry.handler + "`; a command has exactly one");
        return;
    }
    std::string key = entry.cpp_name;
    commands.emplace(std::move(key), std::move(entry));
}

void registry::add(event_handler_entry entry) {
    entry.name = base::dotted(entry.name);
    if (std::any_of(event_handlers.begin(), event_handlers.end(),
                    [&](const auto& other) { return other.name == entry.name; })) {
        problems.push_back("event handler `" + entry.name + "` is declared twice; name all its events in one call");
        return;
    }
    event_handlers.push_back(std::move(entry));
}

void registry::add(subscriber_entry entry) {
    entry.name = base::dotted(entry.name);
    if (entry.stream.empty()) {
        problems.push_back("subscriber `" + entry.name +
                           "` has no stream; name the producer's category, for example .stream = \"myapp::order\"");
    }
    if (std::any_of(subscribers.begin(), subscribers.end(), [&](const auto& other) {
            return other.name == entry.name && other.broker == entry.broker && other.stream == entry.stream;
        })) {
        problems.push_back("subscriber `" + entry.name + "` is declared twice for stream `" + entry.stream + "`");
        return;
    }
    subscribers.push_back(std::move(entry));
}

}  // namespace sluice::detail
