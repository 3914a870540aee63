#include "consume/route.hpp"

#include <set>
#include <utility>

#include "command/deadline.hpp"
#include "consume/own_queues.hpp"
#include "consume/readable.hpp"
#include "domain/subscription_rules.hpp"
#include "process/step.hpp"
#include "projection/projection.hpp"

namespace sluice::consume {

namespace {

using detail::command_entry;
using detail::event_handler_entry;
using detail::process_entry;
using detail::projector_entry;
using detail::registry;
using detail::subscriber_entry;

/// Hands an event to its reaction, in the current version whatever version it was written in.
void react(const registry& domain, const event_handler_entry& handler, const message& m, context& in) {
    const auto event = domain.read_event(m.type().text(), m.data());
    const auto& reaction = handler.on.at(event->entry().cpp_name);
    reaction(event->is_upcast() ? m.with_data(event->data()) : m, in);
}

class route_maker {
public:
    explicit route_maker(commit::environment& env)
        : env_{env}, domain_{env.domain()}, internal_broker_{env.configuration().outbox.broker} {}

    [[nodiscard]] std::vector<route> make() {
        for (const event_handler_entry& handler : domain_.event_handlers) add(handler);
        for (const auto& [cpp_name, process] : domain_.processes) add(process);
        for (const projector_entry& projector : domain_.projectors) add(projector);
        add_commands();
        for (const subscriber_entry& subscriber : domain_.subscribers) add(subscriber);
        return std::move(routes_);
    }

private:
    /// The stream categories of the events that a handler or a process manager reacts to.
    template <class Reactions>
    [[nodiscard]] std::set<std::string> categories_of(const Reactions& on) const {
        std::set<std::string> categories;
        for (const auto& [cpp_name, reaction] : on) {
            if (const auto event = domain_.events.find(cpp_name); event != domain_.events.end()) {
                categories.insert(domain_.aggregate(event->second.aggregate).category);
            }
        }
        return categories;
    }

    void add(const event_handler_entry& handler) {
        const std::set<std::string> categories = categories_of(handler.on);
        if (handler.sequential()) {
            add(handler, {categories.begin(), categories.end()});
        } else {
            for (const std::string& category : categories) add(handler, {category});
        }
    }

    void add(const event_handler_entry& handler, const std::vector<std::string>& categories) {
        if (categories.empty()) return;
        const config::resolved_subscription how = resolve(handler.name, handler.options);
        route made{.name = handler.name,
                   .broker = internal_broker_,
                   .streams = streams_of(internal_broker_, categories),
                   .group = handler.name,
                   .from = handler.options.from,
                   .settings = how.settings,
                   .decided = how.decided,
                   .interest_in = interest_of(handler.on),
                   .handle = reactions_of(handler),
                   .marked_as = handler.name,
                   .joins = true,
                   .primaries = categories.size()};
        if (handler.sequential()) made.sequential = sequence_of(handler);
        routes_.push_back(std::move(made));
    }

    void add(const process_entry& process) {
        const config::resolved_subscription how = resolve(process.group, process.options);
        const auto add_route = [&](const std::string& stream, start from,
                                   std::function<interest(const message&)> interest_in) {
            routes_.push_back({.name = process.group,
                               .broker = internal_broker_,
                               .streams = streams_of(internal_broker_, {stream}),
                               .group = process.group,
                               .from = from,
                               .settings = how.settings,
                               .decided = how.decided,
                               .interest_in = std::move(interest_in),
                               .handle =
                                   [&env = env_, &process](const message& m, const command::message_terms& terms) {
                                       return process::handle_process(env, process, m, terms);
                                   },
                               .marked_as = process.group});
        };
        for (const std::string& category : categories_of(process.on)) {
            add_route(category, process.options.from, interest_of(process.on));
        }
        if (process.on_timeout == nullptr) return;
        add_route(process.timeout_category, start::beginning, [&process](const message& m) {
            return m.type().text() == process.timeout_type ? interest::wanted : interest::unknown;
        });
    }

    void add(const projector_entry& projector) {
        const config::resolved_subscription how = resolve(projector.name, projector.options);
        for (const std::string& category : domain_.categories_of(projector)) {
            routes_.push_back(
                {.name = projector.name,
                 .broker = internal_broker_,
                 .streams = streams_of(internal_broker_, {category}),
                 .group = env_.reader_of(projector),
                 .settings = how.settings,
                 .decided = how.decided,
                 .interest_in = interest_of(projector.on),
                 .handle = [&env = env_, &projector](const message& m, const command::message_terms& terms) {
                     return projection::project(env, projector, m, terms);
                 }});
        }
    }

    void add_commands() {
        std::set<std::string> categories;
        for (const auto& [cpp_name, command] : domain_.commands) {
            categories.insert(domain_.aggregate(command.aggregate).category);
        }
        for (const std::string& category : categories) {
            const std::string marked_as = domain_.normalized + ".commands:" + category;
            const subscription_options options = detail::options_of_commands(domain_, category);
            const std::string name{config::commands_subscription};
            const config::resolved_subscription how = resolve(name, options);
            routes_.push_back(
                {.name = name,
                 .broker = internal_broker_,
                 .streams = streams_of(internal_broker_, {category + ":command"}),
                 .group = options.name.empty() ? "protean.server.engine.Commands:" + category : options.name,
                 .settings = how.settings,
                 .decided = how.decided,
                 .interest_in =
                     [&domain = domain_](const message& m) {
                         const command_entry* known = domain.command_by_type(m.type().text());
                         return known == nullptr ? interest::unknown : interest::wanted;
                     },
                 .deadline_of = [](const message& m) { return command::deadline_of(m); },
                 .handle =
                     [&env = env_, marked_as](const message& m, const command::message_terms& terms) {
                         return command::handle_command(env, m, terms, marked_as);
                     },
                 .marked_as = marked_as,
                 .joins = true,
                 .former_group = marked_as});
        }
    }

    void add(const subscriber_entry& subscriber) {
        const config::resolved_subscription how = resolve(subscriber.name, subscriber.options);
        routes_.push_back({.name = subscriber.name,
                           .broker = subscriber.broker,
                           .streams = streams_of(subscriber.broker, {subscriber.stream}),
                           .group = subscriber.name,
                           .from = subscriber.options.from,
                           .settings = how.settings,
                           .decided = how.decided,
                           .interest_in = [](const message&) { return interest::wanted; },
                           .handle =
                               [&env = env_, &subscriber](const message& m, const command::message_terms& terms) {
                                   return command::handle(env, m, terms, subscriber.name,
                                                          [&](context& in) { subscriber.handle(m, in); });
                               },
                           .marked_as = subscriber.name,
                           .joins = true});
    }

    [[nodiscard]] config::resolved_subscription resolve(const std::string& name,
                                                        const subscription_options& in_code) const {
        return config::resolve_subscription(name, in_code, domain_, env_.configuration().server);
    }

    template <class Reactions>
    [[nodiscard]] std::function<interest(const message&)> interest_of(const Reactions& on) const {
        return [&domain = domain_, &on](const message& m) {
            const detail::event_entry* event = domain.event_by_type(m.type().text());
            if (event == nullptr) return interest::unknown;
            return on.contains(event->cpp_name) ? interest::wanted : interest::unwanted;
        };
    }

    [[nodiscard]] std::function<command::outcome(const message&, const command::message_terms&)> reactions_of(
        const event_handler_entry& handler) const {
        return [&env = env_, &handler](const message& m, const command::message_terms& terms) {
            return command::handle(env, m, terms, handler.name,
                                   [&](context& in) { react(env.domain(), handler, m, in); });
        };
    }

    [[nodiscard]] sequence sequence_of(const event_handler_entry& handler) const {
        return {.lease = "sequential/" + handler.name, .key_of = [&domain = domain_, &handler](const message& m) {
                    const auto event = domain.read_event(m.type().text(), m.data());
                    if (!event) return std::string{};
                    const auto& key = handler.sequential_key.at(event->entry().cpp_name);
                    return key(event->is_upcast() ? m.with_data(event->data()) : m);
                }};
    }

    [[nodiscard]] std::vector<std::string> streams_of(const std::string& broker,
                                                      std::vector<std::string> streams) const {
        const auto& lanes = env_.configuration().server.priority_lanes;
        if (!lanes.enabled || broker != internal_broker_) return streams;
        const std::size_t primaries = streams.size();
        for (std::size_t i = 0; i < primaries; ++i) streams.push_back(streams[i] + ":" + lanes.backfill_suffix);
        return streams;
    }

    commit::environment& env_;
    const registry& domain_;
    const std::string& internal_broker_;
    std::vector<route> routes_;
};

}  // namespace

std::vector<route> routes_of(commit::environment& env) {
    auto routes = route_maker{env}.make();
    require_readable(env, routes);
    require_own_queues(env.configuration(), routes);
    return routes;
}

}  // namespace sluice::consume
