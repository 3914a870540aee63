#include <sluice/registry.hpp>

#include <algorithm>

#include <sluice/error.hpp>

#include "base/names.hpp"
#include "base/sha256.hpp"
#include "domain/layout.hpp"
#include "domain/table_rules.hpp"
#include "domain/upcasting.hpp"
#include "domain/whole.hpp"

namespace sluice::detail {

namespace {

template <class Map>
typename Map::mapped_type target_of(const Map& entries, std::string_view key) {
    const auto found = entries.find(key);
    return found == entries.end() ? nullptr : found->second;
}

/// The event that tells the whole state of an aggregate.
event_entry fact_of(const aggregate_entry& aggregate) {
    event_entry fact;
    fact.cpp_name = aggregate.fact;
    fact.name = aggregate.name + "FactEvent";
    fact.published = aggregate.facts == facts::published;
    fact.aggregate = aggregate.cpp_name;
    fact.fqn = base::dotted(aggregate.cpp_name) + "FactEvent";
    return fact;
}

/// The name that was given, else that of the class, which the entry has from its declaration.
template <class Entry>
void name_after(Entry& entry) {
    entry.class_name = base::dotted(entry.name);
    entry.name = entry.options.name.empty() ? entry.class_name : entry.options.name;
}

/// Members that BOOST_DESCRIBE_CLASS does not list.
/// @param kind  `aggregate`, `event`, …
void find_forgotten_members(std::string_view kind, const field_tree& fields, std::vector<std::string>& problems) {
    const std::string what = std::string{kind} + " `" + std::string{fields.name} + "`";
    for (std::string& problem : problems_of(what, fields)) problems.push_back(std::move(problem));
}

/// Short enough for a column, whatever the state looks like.
std::string fingerprint(const field_tree& state, int version) {
    constexpr std::size_t digits = 32;
    return base::sha256_hex(layout_of(state) + "/" + std::to_string(version)).substr(0, digits);
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

const aggregate_entry* registry::aggregate_by_name(std::string_view wanted) const {
    const auto found = std::find_if(aggregates.begin(), aggregates.end(),
                                    [&](const auto& each) { return each.second.name == wanted; });
    return found == aggregates.end() ? nullptr : &found->second;
}

const event_entry* registry::event_by_type(std::string_view type) const {
    if (const event_entry* current = target_of(event_types_, type)) return current;
    const auto older = older_types_.find(type);
    return older == older_types_.end() ? nullptr : older->second.event;
}

std::optional<readable_event> registry::read_event(std::string_view type, const json::value& data) const {
    if (const event_entry* current = target_of(event_types_, type)) return readable_event{*current, data};
    const auto found = older_types_.find(type);
    if (found == older_types_.end()) return std::nullopt;
    const auto& [event, steps, version] = found->second;
    return readable_event{*event, upcast(*event, *steps, version, data)};
}

std::vector<int> registry::unreadable_versions(const event_entry& event) const {
    std::vector<int> versions;
    for (int version = 1; version < event.version; ++version) {
        if (event_by_type(type_of(event.name, version)) == nullptr) versions.push_back(version);
    }
    return versions;
}

std::string registry::type_of(std::string_view event_or_command, int version) const {
    return camel + "." + std::string{event_or_command} + ".v" + std::to_string(version);
}

const command_entry* registry::command_by_name(std::string_view wanted) const {
    return target_of(command_names_, wanted);
}

const command_entry* registry::command_by_type(std::string_view type) const { return target_of(command_types_, type); }

const projector_entry* registry::projector_of(std::string_view row) const {
    const auto found = std::find_if(projectors.begin(), projectors.end(),
                                    [&](const projector_entry& entry) { return entry.row == row; });
    return found == projectors.end() ? nullptr : &*found;
}

std::vector<std::string> registry::categories_of(const projector_entry& projector) const {
    std::vector<std::string> categories;
    for (const auto& [cpp_name, step] : projector.on) {
        const auto event = events.find(cpp_name);
        if (event == events.end()) continue;
        const std::string& category = aggregate(event->second.aggregate).category;
        if (std::find(categories.begin(), categories.end(), category) == categories.end()) {
            categories.push_back(category);
        }
    }
    return categories;
}

const std::string& registry::database_of(const projector_entry& projector) const {
    for (const auto& [cpp_name, step] : projector.on) {
        const auto event = events.find(cpp_name);
        if (event != events.end()) return aggregate(event->second.aggregate).database;
    }
    throw usage_error{"no event of projector `" + projector.name + "` is declared in domain `" + name + "`"};
}

void registry::add(aggregate_entry entry) {
    if (entry.fields != nullptr) find_forgotten_members("aggregate", *entry.fields, problems);
    const std::string own_part = entry.category.empty() ? base::underscore(entry.name) : entry.category;
    entry.category = normalized + "::" + own_part;
    for (const auto& [cpp_name, other] : aggregates) {
        if (other.name == entry.name || other.category == entry.category) {
            problems.push_back("aggregates `" + cpp_name + "` and `" + entry.cpp_name +
                               "` share a name or a stream category; give one a name of its own in aggregate_options");
            return;
        }
    }
    if (entry.facts != facts::none) add(fact_of(entry));
    if (entry.sourcing) entry.sourcing->layout = fingerprint(*entry.fields, entry.sourcing->snapshot_version);
    std::string key = entry.cpp_name;
    aggregates.emplace(std::move(key), std::move(entry));
}

void registry::add(event_entry entry) {
    if (entry.fields != nullptr) find_forgotten_members("event", *entry.fields, problems);
    entry.type = type_of(entry.name, entry.version);
    if (entry.fqn.empty()) entry.fqn = base::dotted(entry.cpp_name);
    if (event_types_.contains(entry.type)) {
        problems.push_back("event type `" + entry.type + "` is declared twice; each needs its own name or version");
        return;
    }
    std::string key = entry.cpp_name;
    const auto [added, is_new] = events.emplace(std::move(key), std::move(entry));
    event_types_.emplace(added->second.type, &added->second);
    index_older_types(added->first);
}

void registry::add(upcaster_entry entry) {
    if (std::string problem = problem_of(entry, upcasters[entry.event]); !problem.empty()) {
        problems.push_back(std::move(problem));
        return;
    }
    upcasters[entry.event].emplace(entry.from, upcast_step{entry.to, std::move(entry.convert)});
    index_older_types(entry.event);
}

/// Declarations come in any order, so this is done after each one that may complete a chain.
void registry::index_older_types(std::string_view event) {
    const auto declared = events.find(event);
    const auto steps = upcasters.find(event);
    if (declared == events.end() || steps == upcasters.end()) return;
    const event_entry& entry = declared->second;
    for (const auto& [version, step] : steps->second) {
        if (end_of(steps->second, version) != entry.version) continue;
        older_types_.emplace(type_of(entry.name, version), older_type{&entry, &steps->second, version});
    }
}

void registry::add(also_published_entry entry) {
    if (!entry.convert) {
        problems.push_back("event `" + entry.event + "` is also published as version " + std::to_string(entry.version) +
                           " by an empty function; give one that makes the older payload");
        return;
    }
    if (!also_published[entry.event].emplace(entry.version, std::move(entry.convert)).second) {
        problems.push_back("event `" + entry.event + "` is also published as version " + std::to_string(entry.version) +
                           " twice; keep one of the two");
    }
}

void registry::add(command_entry entry) {
    find_forgotten_members("command", *entry.fields, problems);
    entry.type = type_of(entry.name, entry.version);
    entry.fqn = base::dotted(entry.cpp_name);
    entry.handler = base::dotted(entry.handler);
    if (const command_entry* other = command_by_name(entry.name)) {
        problems.push_back("command `" + entry.name + "` has two handlers, `" + other->handler + "` and `" +
                           entry.handler + "`; a command has exactly one");
        return;
    }
    std::string key = entry.cpp_name;
    const command_entry& added = commands.emplace(std::move(key), std::move(entry)).first->second;
    command_names_.emplace(added.name, &added);
    command_types_.emplace(added.type, &added);
}

void registry::add(event_handler_entry entry) {
    name_after(entry);
    if (std::any_of(event_handlers.begin(), event_handlers.end(),
                    [&](const auto& other) { return other.name == entry.name; })) {
        problems.push_back("event handler `" + entry.name + "` is declared twice; name all its events in one call");
        return;
    }
    event_handlers.push_back(std::move(entry));
}

process_entry& registry::add(process_entry entry) {
    find_forgotten_members("process manager", *entry.fields, problems);
    entry.category = normalized + "::" + (entry.category.empty() ? base::underscore(entry.name) : entry.category);
    entry.timeout_category = entry.category + ":timeout";
    entry.transition_type = type_of("_PMTransition", 1);
    entry.timeout_type = type_of("_PMTimeout", 1);
    entry.fqn = base::dotted(entry.cpp_name);
    entry.group = entry.options.name.empty() ? entry.fqn : entry.options.name;
    std::string key = entry.cpp_name;
    const auto [kept, fresh] = processes.try_emplace(std::move(key), std::move(entry));
    if (!fresh) {
        problems.push_back("process manager `" + kept->second.fqn + "` is declared twice; name all its events at once");
    }
    return kept->second;
}

// It is moved from, which clang-tidy does not see through try_emplace.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
void registry::add(process_entry& to, std::string event, process_reaction reaction) {
    const auto [kept, fresh] = to.on.try_emplace(std::move(event), std::move(reaction));
    if (!fresh) {
        problems.push_back("process manager `" + to.fqn + "` names event `" + kept->first +
                           "` twice; an event either starts, continues or completes a process");
    }
}

void registry::add(subscriber_entry entry) {
    name_after(entry);
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

void registry::add(projector_entry entry) {
    find_forgotten_members("read model", *entry.fields, problems);
    name_after(entry);
    add_columns(entry.table, *entry.fields);
    if (entry.table.name.empty()) {
        const auto scope = entry.row.rfind(':');
        entry.table.name = base::underscore(scope == std::string::npos ? entry.row : entry.row.substr(scope + 1));
    }
    for (const projector_entry& other : projectors) {
        if (other.name == entry.name) {
            problems.push_back("projector `" + entry.name + "` is declared twice; name all its events in one call");
            return;
        }
        if (other.table.name == entry.table.name) {
            problems.push_back("projectors `" + other.name + "` and `" + entry.name + "` both feed read model `" +
                               entry.table.name +
                               "`; a read model has exactly one projector, so that it can be rebuilt");
            return;
        }
    }
    for (std::string& problem : problems_of(entry.table)) problems.push_back(std::move(problem));
    entry.table.fingerprint = fingerprint_of(entry.table);
    projectors.push_back(std::move(entry));
}

}  // namespace sluice::detail
