#include "domain/upcasting.hpp"

#include <exception>
#include <utility>

#include <sluice/codec.hpp>
#include <sluice/error.hpp>

#include "domain/declared_events.hpp"

namespace sluice::detail {

namespace {

std::string from_to(int from, int to) { return "from version " + std::to_string(from) + " to " + std::to_string(to); }

std::string upcaster_call(const std::string& event, int from, int to) {
    return "`domain.upcaster<" + event + ", sluice::from<" + std::to_string(from) + ">, sluice::to<" +
           std::to_string(to) + ">>(…)`";
}

[[noreturn]] void refuse(const event_entry& event, int from, int to, const std::string& reason) {
    throw decode_error{"event `" + event.name + "` cannot be brought " + from_to(from, to) + ": " + reason};
}

json::object take_step(const event_entry& event, int from, const upcast_step& step, json::object data) {
    try {
        return step.convert(std::move(data));
    } catch (const std::exception& e) {
        refuse(event, from, step.to, e.what());
    } catch (...) {
        refuse(event, from, step.to, "its upcaster threw something that is no std::exception");
    }
}

json::object older_payload(const event_entry& event, int version, const event_converter& convert,
                           const json::value& data) {
    const auto refuse = [&](const std::string& reason) {
        throw usage_error{"event `" + event.name + "` of version " + std::to_string(event.version) +
                          " cannot be published as version " + std::to_string(version) + ", too: " + reason};
    };
    json::object made;
    try {
        made = convert(data.as_object());
    } catch (const std::exception& e) {
        refuse(e.what());
    } catch (...) {
        refuse("its converter threw something that is no std::exception");
    }
    violations broken;
    codec::detail::check_json(made, broken, codec::detail::text_source::stored);
    for (const auto& [field, message] : broken.take()) refuse(field + ": " + message);
    return made;
}

/// A type can be read in one way only.
void require_free_type(std::vector<std::string>& problems, const registry& domain, const event_entry& event,
                       int version) {
    const std::string type = domain.type_of(event.name, version);
    const event_entry* owner = domain.event_by_type(type);
    if (owner == nullptr || owner->cpp_name == event.cpp_name) return;
    problems.push_back("the upcaster of event `" + event.cpp_name + "` from version " + std::to_string(version) +
                       " reads type `" + type + "`, which is one of event `" + owner->cpp_name +
                       "`; remove one of the two");
}

void check_chain(std::vector<std::string>& problems, const registry& domain, const event_entry& event,
                 const upcast_chain& steps) {
    for (const auto& [version, step] : steps) {
        if (step.to > event.version) {
            problems.push_back("the upcaster of event `" + event.cpp_name + "` " + from_to(version, step.to) +
                               " goes beyond its current version " + std::to_string(event.version) +
                               "; set `.version = " + std::to_string(step.to) + "` in its contract, or remove it");
        } else if (step.to != event.version && !steps.contains(step.to)) {
            problems.push_back("the upcasters of event `" + event.cpp_name + "` lead " + from_to(version, step.to) +
                               " and end there, but its current version is " + std::to_string(event.version) +
                               "; add " + upcaster_call(event.cpp_name, step.to, event.version));
        } else {
            require_free_type(problems, domain, event, version);
        }
    }
}

void check_publications(std::vector<std::string>& problems, const event_entry& event, const older_publications& older) {
    if (!event.published) {
        problems.push_back("event `" + event.cpp_name +
                           "` is also published in an older version, but is not published; set `.published = true` in "
                           "its contract");
    }
    for (const auto& [version, convert] : older) {
        if (version < event.version) continue;
        problems.push_back("event `" + event.cpp_name + "` is also published as version " + std::to_string(version) +
                           ", which is not older than its current version " + std::to_string(event.version) +
                           "; name an older one");
    }
}

}  // namespace

int end_of(const upcast_chain& steps, int version) {
    for (auto step = steps.find(version); step != steps.end(); step = steps.find(version)) version = step->second.to;
    return version;
}

json::object upcast(const event_entry& event, const upcast_chain& steps, int version, const json::value& data) {
    if (!data.is_object()) {
        refuse(event, version, event.version,
               std::string{"its data is "} + json::to_string(data.kind()) + ", expected an object");
    }
    json::object result = data.as_object();
    while (version != event.version) {
        const upcast_step& step = steps.at(version);
        result = take_step(event, version, step, std::move(result));
        version = step.to;
    }
    return result;
}

json::object older_payloads(const registry& domain, const event_entry& event, const json::value& data) {
    json::object payloads;
    const auto older = domain.also_published.find(event.cpp_name);
    if (older == domain.also_published.end()) return payloads;
    for (const auto& [version, convert] : older->second) {
        payloads.append(std::to_string(version), older_payload(event, version, convert, data));
    }
    return payloads;
}

std::string problem_of(const upcaster_entry& entry, const upcast_chain& known) {
    const std::string who = "the upcaster of event `" + entry.event + "` " + from_to(entry.from, entry.to);
    if (entry.to <= entry.from) return who + " goes nowhere; an upcaster makes a later version than it reads";
    if (!entry.convert) return who + " is an empty function; give one that makes the later payload";
    if (const auto other = known.find(entry.from); other != known.end()) {
        return "event `" + entry.event + "` has two upcasters from version " + std::to_string(entry.from) + ", to " +
               std::to_string(other->second.to) + " and to " + std::to_string(entry.to) + "; keep one of the two";
    }
    return {};
}

std::vector<std::string> problems_of_versions(const registry& domain) {
    std::vector<std::string> problems;
    for (const auto& [event, steps] : domain.upcasters) {
        require_declared(problems, domain, "an upcaster", event);
        const auto declared = domain.events.find(event);
        if (declared != domain.events.end()) check_chain(problems, domain, declared->second, steps);
    }
    for (const auto& [event, older] : domain.also_published) {
        require_declared(problems, domain, "`also_published`", event);
        const auto declared = domain.events.find(event);
        if (declared != domain.events.end()) check_publications(problems, declared->second, older);
    }
    return problems;
}

}  // namespace sluice::detail
