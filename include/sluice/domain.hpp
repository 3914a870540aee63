#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/aggregate.hpp>
#include <sluice/context.hpp>
#include <sluice/detail/command_result.hpp>
#include <sluice/detail/field_tree.hpp>
#include <sluice/detail/stored.hpp>
#include <sluice/event_sourced.hpp>
#include <sluice/fact.hpp>
#include <sluice/identity.hpp>
#include <sluice/process_manager.hpp>
#include <sluice/projection.hpp>
#include <sluice/registry.hpp>
#include <sluice/repository.hpp>
#include <sluice/sequential.hpp>
#include <sluice/subscription_options.hpp>
#include <sluice/upcaster.hpp>

namespace sluice {

/// How an aggregate is declared, where it is to differ from the rest.
///
/// Thread safety: a value type. Lifetime: the names need to live during the call of `domain::aggregate` only.
struct aggregate_options {
    std::string_view name{};             ///< the class's own name when empty
    std::string_view stream_category{};  ///< `{domain}::{underscore(name)}` when empty; given without the domain part
    std::string_view database = "default";
    sluice::facts facts = sluice::facts::none;  ///< whether each change is followed by an event with the whole state

    // For event-sourced aggregates only:
    std::optional<std::size_t> snapshot_every{};  ///< events between snapshots, 0: none; `[event_sourcing]` when empty
    int snapshot_version = 1;  ///< another one when the members mean something else than before, though they look alike
};

namespace detail {

template <class T>
concept reaction_type = event_type<T> || is_fact<T>;

/// The name is an option of the subscription, which may be given one level up.
[[nodiscard]] inline subscription_options named(subscription_options options, std::string_view name) {
    if (!name.empty()) options.name = name;
    return options;
}

}  // namespace detail

/// Which messages a subscriber gets, and how they are read.
///
/// Thread safety: a value type. Lifetime: the names need to live during the call of `domain::subscriber` only.
struct subscriber_options {
    std::string_view name{};  ///< of the consumer group, for ever: see subscription_options
    std::string_view broker = "default";
    std::string_view stream;  ///< the producer's category, `myapp::order`
    subscription_options subscription{};
};

/// How a projector is declared, where it is to differ from the rest.
///
/// Thread safety: a value type. Lifetime: the name needs to live during the call of `domain::projector` only.
struct projector_options {
    std::string_view name{};  ///< of the consumer group, for ever: see subscription_options
    /// Each a list of columns by name: what is often asked for together.
    std::vector<std::vector<std::string>> indexes{};
    subscription_options subscription{};
};

/// A bounded context: its aggregates, events, commands and the code that reacts.
///
/// Declaring is cheap and never fails half-way: mistakes are collected and reported together by `validate()`, which
/// the engine and `sluice check` call before any row is written.
///
/// Thread safety: declare on one thread; a declared domain is immutable and may be read concurrently. Lifetime: copies
/// share one declaration, and what runs a domain keeps it.
class domain {
public:
    /// @param name  of the bounded context; streams and message types are named after it
    explicit domain(std::string name);

    /// The events of an aggregate, in the fluent form `domain.aggregate<Order>().events<OrderPlaced, OrderShipped>()`.
    ///
    /// Thread safety: none, like declaring. Lifetime: within that of the domain, which must not be moved meanwhile.
    template <class Aggregate, bool is_event_sourced = false>
    class aggregate_declaration {
    public:
        explicit aggregate_declaration(domain& owner) : owner_{owner} {}

        template <event_type... Events>
        aggregate_declaration& events() {
            static_assert((std::same_as<typename detail::contract_type<Events>::aggregate_type, Aggregate> && ...),
                          "an event listed here has a contract with another aggregate");
            if constexpr (is_event_sourced) {
                static_assert((detail::event_application::exists<Aggregate, Events>() && ...),
                              "the event-sourced aggregate has no `void apply(const Event&)` for an event listed here; "
                              "when it is private, add `friend sluice::event_sourced<Aggregate>;`");
                (owner_.add_apply<Aggregate, Events>(), ...);
            }
            (owner_.add_event<Events>(), ...);
            return *this;
        }

    private:
        domain& owner_;
    };

    /// An aggregate, be it stored as its state or as its events.
    template <class Aggregate>
    aggregate_declaration<Aggregate, event_sourced_type<Aggregate>> aggregate(const aggregate_options& options = {}) {
        static_assert(std::derived_from<Aggregate, sluice::aggregate<Aggregate>> || event_sourced_type<Aggregate>,
                      "an aggregate derives publicly from sluice::aggregate<Itself> or sluice::event_sourced<Itself>");
        detail::aggregate_entry entry = entry_for<Aggregate>(options);
        entry.fields = &detail::field_tree_of<Aggregate>();
        entry.facts = options.facts;
        entry.fact = reflect::type_name<fact<Aggregate>>();
        entry.decode = [](const json::value& state) -> std::unique_ptr<aggregate_root> {
            return std::make_unique<Aggregate>(
                codec::decode<Aggregate>(state, codec::unknown_keys::ignore, codec::missing_keys::keep_default));
        };
        entry.encode = [](const aggregate_root& object) {
            return codec::encode(static_cast<const Aggregate&>(object));
        };
        entry.identity = [](const aggregate_root& object) {
            return detail::identity_of(static_cast<const Aggregate&>(object));
        };
        entry.validate = [](const aggregate_root& object) {
            return codec::validate(static_cast<const Aggregate&>(object));
        };
        if constexpr (event_sourced_type<Aggregate>) {
            entry.sourcing = sourcing_of<Aggregate>(options);
        } else if (options.snapshot_every) {
            registry_->problems.push_back("aggregate `" + entry.cpp_name +
                                          "` is stored as its state and has no snapshots; remove .snapshot_every");
        }
        registry_->add(std::move(entry));
        return aggregate_declaration<Aggregate, event_sourced_type<Aggregate>>{*this};
    }

    /// A stream of events named after something whose state Sluice does not keep: they are written by
    /// `transactional_outbox`. `Named` is the class in the contracts of the events; a declaration of it is enough.
    /// Events of `Order` go to streams like `shop::order-o-1`, as those of an aggregate do.
    template <class Named>
    aggregate_declaration<Named> stream(const aggregate_options& options = {}) {
        if (options.facts != facts::none || options.snapshot_every) {
            registry_->problems.push_back("stream `" + std::string{reflect::type_name<Named>()} +
                                          "` has no state; remove .facts and .snapshot_every");
        }
        registry_->add(entry_for<Named>(options));
        return aggregate_declaration<Named>{*this};
    }

    /// One handler object for the commands named: `Result operator()(const Command&, sluice::context&) const` for each,
    /// where `Result` is that of the command's contract, `void` by default.
    template <class Handler, command_type... Commands>
    domain& command_handler(Handler handler = {}) {
        return command_handler<Handler, Commands...>(subscription_options{}, std::move(handler));
    }
    /// The same with options for asynchronous commands. All commands of a category share one subscription, so the
    /// handlers of a category must not contradict each other.
    template <class Handler, command_type... Commands>
    domain& command_handler(const subscription_options& options, Handler handler = {}) {
        const auto shared = std::make_shared<const Handler>(std::move(handler));
        (add_command<Handler, Commands>(shared, options), ...);
        return *this;
    }

    /// Reacts to events of this domain, fed from the internal broker; its consumer group is `.name`, else its class
    /// name. `void operator()(const Event&, sluice::context&) const` for each event; `sluice::fact<Order>` is the fact
    /// event of an aggregate that has facts. With a static member `sequential_key` in the class its messages are
    /// handled one after the other for each key (see sequential.hpp).
    template <class Handler, detail::reaction_type... Events>
    domain& event_handler(Handler handler = {}) {
        return event_handler<Handler, Events...>(subscription_options{}, std::move(handler));
    }
    /// The same with options for its subscriptions.
    template <class Handler, detail::reaction_type... Events>
    domain& event_handler(const subscription_options& options, Handler handler = {}) {
        static_assert(
            (detail::has_sequential_key<Handler, Events> && ...) ||
                (!detail::has_sequential_key<Handler, Events> && ...),
            "a sequential handler has `static std::string sequential_key(const Event&)` for each of its events");
        const auto shared = std::make_shared<const Handler>(std::move(handler));
        detail::event_handler_entry entry;
        entry.name = reflect::type_name<Handler>();
        entry.options = options;
        (add_reaction<Handler, Events>(entry, shared), ...);
        registry_->add(std::move(entry));
        return *this;
    }

    /// A process of several steps, driven by events of this domain from the internal broker and by its own timers:
    /// `domain.process_manager<Transfer>().starts<TransferRequested>(&TransferRequested::transfer_id)…`. Its consumer
    /// group is its class name.
    ///
    /// @param like  what every instance is a copy of before its state is read: the place for collaborators, in members
    ///        that are `sluice::not_stored`. Copied by several threads at a time
    template <class Process>
    process_declaration<Process> process_manager(const process_manager_options& options = {}, Process like = {}) {
        return {*registry_, registry_->add(detail::make_process_entry<Process>(options, std::move(like)))};
    }

    /// The anti-corruption layer: receives another context's messages as they are and translates them into commands of
    /// this one. `void operator()(const sluice::message&, sluice::context&) const`. Return = acknowledged, throw =
    /// retried.
    template <class Subscriber>
    domain& subscriber(const subscriber_options& options, Subscriber subscriber = {}) {
        static_assert(std::invocable<const Subscriber&, const message&, context&>,
                      "a subscriber has `void operator()(const sluice::message&, sluice::context&) const`");
        const auto shared = std::make_shared<const Subscriber>(std::move(subscriber));
        detail::subscriber_entry entry;
        entry.name = reflect::type_name<Subscriber>();
        entry.broker = options.broker;
        entry.stream = options.stream;
        entry.options = detail::named(options.subscription, options.name);
        entry.handle = [shared](const message& m, context& in) { (*shared)(m, in); };
        registry_->add(std::move(entry));
        return *this;
    }

    /// Feeds one read model from events of this domain, which may be of several aggregates of one database; its
    /// consumer group is `.name`, else the class name under which the table was first fed: a projector's class may be
    /// renamed. For each event `void operator()(const Event&, sluice::read_model<Row>&)
    /// const`, or with a `const sluice::message&` as third parameter. Whatever it changes commits with the mark that
    /// the event was handled, so each event counts once. It must do the same with the same events, for it does so again
    /// when the read model is rebuilt.
    template <class Projector, projection_type Row, event_type... Events>
    domain& projector(const projector_options& options = {}, Projector projector = {}) {
        static_assert(sizeof...(Events) > 0,
                      "a projector needs the events that it projects: projector<P, Row, Event…>");
        const auto shared = std::make_shared<const Projector>(std::move(projector));
        detail::projector_entry entry;
        entry.name = reflect::type_name<Projector>();
        detail::require_row<Row>();
        entry.row = reflect::type_name<Row>();
        entry.fields = &detail::field_tree_of<Row>();
        entry.table.name = Row::contract.name;
        entry.table.version = Row::contract.version;
        entry.table.indexes = options.indexes;
        entry.options = detail::named(options.subscription, options.name);
        (add_projection<Projector, Row, Events>(entry, shared), ...);
        registry_->add(std::move(entry));
        return *this;
    }

    /// Reads what was written of an event in an older version: `convert` makes the payload of version `To` from that of
    /// version `From`. Steps follow each other until the current version, that of the contract; a step may skip some.
    ///
    /// @code
    /// shop.upcaster<OrderShipped, sluice::from<1>, sluice::to<2>>([](sluice::json::object data) {
    ///     data.set("carrier", "unknown");
    ///     return data;
    /// });
    /// @endcode
    ///
    /// @param convert  a function, lambda or other object; called by several threads at a time. What it throws is a
    ///        decode_error of the message, which ends among the dead letters like one whose handler fails
    template <event_type Event, class From, class To, class Converter>
    domain& upcaster(Converter convert) {
        static_assert(detail::is_from<From> && detail::is_to<To>,
                      "write `upcaster<Event, sluice::from<1>, sluice::to<2>>(…)`");
        registry_->add(detail::upcaster_entry{std::string{reflect::type_name<Event>()}, From::value, To::value,
                                              detail::make_converter(std::move(convert))});
        return *this;
    }

    /// Publishes an event in an older version, too, while partners move on: each external broker gets the current
    /// version, and right after it a message of the older one with the id `{id}~v1`. The older payload is made when the
    /// event is raised, and commits with it.
    ///
    /// @code
    /// shop.also_published<OrderShipped, sluice::as_version<1>>([](sluice::json::object data) {
    ///     data.erase("carrier");
    ///     return data;
    /// });
    /// @endcode
    ///
    /// @param convert  makes the older payload from the current one; called by several threads at a time. What it
    /// throws
    ///        fails the command, like what an enricher throws
    template <event_type Event, class Version, class Converter>
    domain& also_published(Converter convert) {
        static_assert(detail::is_as_version<Version>, "write `also_published<Event, sluice::as_version<1>>(…)`");
        registry_->add(detail::also_published_entry{std::string{reflect::type_name<Event>()}, Version::value,
                                                    detail::make_converter(std::move(convert))});
        return *this;
    }

    /// Enrichers fill `extensions` in registration order.
    domain& enrich_events(enricher e);
    domain& enrich_commands(enricher e);

    /// Receives every trace event of the running domain (see trace_subscriber).
    domain& on_trace(trace_subscriber subscriber);

    [[nodiscard]] const std::string& name() const noexcept { return registry_->name; }
    /// @throws configuration_error naming every mistake in the declaration
    void validate() const;
    [[nodiscard]] const detail::registry& declared() const noexcept { return *registry_; }

private:
    template <class Aggregate>
    static detail::aggregate_entry entry_for(const aggregate_options& options) {
        detail::aggregate_entry entry;
        entry.cpp_name = reflect::type_name<Aggregate>();
        entry.name = options.name.empty() ? reflect::short_type_name<Aggregate>() : options.name;
        entry.category = options.stream_category;
        entry.database = options.database;
        return entry;
    }

    template <class Aggregate>
    static detail::event_sourcing sourcing_of(const aggregate_options& options) {
        detail::event_sourcing sourcing;
        sourcing.blank = []() -> std::unique_ptr<aggregate_root> { return std::make_unique<Aggregate>(); };
        sourcing.copy = [](const aggregate_root& object) -> std::unique_ptr<aggregate_root> {
            return std::make_unique<Aggregate>(static_cast<const Aggregate&>(object));
        };
        sourcing.snapshot_version = options.snapshot_version;
        sourcing.snapshot_every = options.snapshot_every;
        return sourcing;
    }

    template <class Aggregate, class Event>
    void add_apply() {
        const auto entry = registry_->aggregates.find(reflect::type_name<Aggregate>());
        if (entry == registry_->aggregates.end()) return;  // refused, and reported as such
        entry->second.sourcing->apply.insert_or_assign(std::string{reflect::type_name<Event>()},
                                                       &detail::event_application::apply<Aggregate, Event>);
    }

    template <class Event>
    void add_event() {
        detail::event_entry entry;
        entry.cpp_name = reflect::type_name<Event>();
        entry.name = Event::contract.name.empty() ? reflect::short_type_name<Event>() : Event::contract.name;
        entry.version = Event::contract.version;
        entry.published = Event::contract.published;
        entry.aggregate = reflect::type_name<typename detail::contract_type<Event>::aggregate_type>();
        entry.fields = &detail::field_tree_of<Event>();
        entry.try_read = [](const json::value& data) { static_cast<void>(detail::read_event<Event>(data)); };
        registry_->add(std::move(entry));
    }

    template <class Handler, class Command>
    void add_command(const std::shared_ptr<const Handler>& handler, const subscription_options& options) {
        static_assert(std::invocable<const Handler&, const Command&, context&>,
                      "the command handler lacks `Result operator()(const Command&, sluice::context&) const`");
        detail::command_entry entry;
        entry.cpp_name = reflect::type_name<Command>();
        entry.name = Command::contract.name.empty() ? reflect::short_type_name<Command>() : Command::contract.name;
        entry.version = Command::contract.version;
        entry.aggregate = reflect::type_name<typename detail::contract_type<Command>::aggregate_type>();
        entry.handler = reflect::type_name<Handler>();
        entry.options = options;
        using result = detail::result_of<Command>;
        entry.handle = [handler](const void* command, context& in) {
            return detail::result_from<Command>(*handler, *static_cast<const Command*>(command), in);
        };
        entry.encode_result = &detail::encode_result<result>;
        entry.decode_result = &detail::decode_result<result>;
        entry.decode = [](const json::value& data) -> std::shared_ptr<const void> {
            return std::make_shared<const Command>(codec::decode<Command>(data, codec::unknown_keys::refuse));
        };
        entry.decode_waiting = [](const json::value& data) -> std::shared_ptr<const void> {
            return std::make_shared<const Command>(
                codec::decode<Command>(data, codec::unknown_keys::refuse, codec::missing_keys::initialised));
        };
        entry.fields = &detail::field_tree_of<Command>();
        entry.encode = [](const void* command) { return codec::encode(*static_cast<const Command*>(command)); };
        entry.validate = [](const void* command) { return codec::validate(*static_cast<const Command*>(command)); };
        entry.identity = [](const void* command) { return detail::identity_of(*static_cast<const Command*>(command)); };
        registry_->add(std::move(entry));
    }

    template <class Handler, class Event>
    static void add_reaction(detail::event_handler_entry& entry, const std::shared_ptr<const Handler>& handler) {
        static_assert(std::invocable<const Handler&, const Event&, context&>,
                      "the event handler lacks `void operator()(const Event&, sluice::context&) const`");
        entry.on[std::string{reflect::type_name<Event>()}] = [handler](const message& m, context& in) {
            (*handler)(read_as<Event>(m), in);
        };
        if constexpr (detail::has_sequential_key<Handler, Event>) {
            entry.sequential_key[std::string{reflect::type_name<Event>()}] = [](const message& m) {
                return detail::sequence_key_of<Handler>(read_as<Event>(m));
            };
        }
    }

    /// The event as a handler is given it. @throws validation_error naming every offending field
    template <class Event>
    static Event read_as(const message& m) {
        if constexpr (detail::is_fact<Event>) {
            Event read{codec::decode<decltype(Event::state)>(m.data(), codec::unknown_keys::ignore,
                                                             codec::missing_keys::keep_default),
                       detail::version_of_fact(m)};
            detail::set_version_of_fact(read.state, read.version);
            return read;
        } else {
            return detail::read_event<Event>(m.data());
        }
    }

    template <class Projector, class Row, class Event>
    static void add_projection(detail::projector_entry& entry, const std::shared_ptr<const Projector>& projector) {
        using rows_type = read_model<Row>;
        static_assert(!std::invocable<const Projector&, const Event&, rows_type&, context&>,
                      "a projector gets no sluice::context: it only writes its read model, so that it can be rebuilt");
        constexpr bool takes_message = std::invocable<const Projector&, const Event&, rows_type&, const message&>;
        static_assert(takes_message || std::invocable<const Projector&, const Event&, rows_type&>,
                      "the projector lacks `void operator()(const Event&, sluice::read_model<Row>&) const`");
        entry.wants_messages = entry.wants_messages || takes_message;
        entry.on[std::string{reflect::type_name<Event>()}] =
            [projector](const json::value& data, [[maybe_unused]] const message* m, detail::row_set& rows) {
                rows_type model{rows};
                const auto event = detail::read_event<Event>(data);
                if constexpr (takes_message) {
                    (*projector)(event, model, *m);
                } else {
                    (*projector)(event, model);
                }
            };
    }

    std::shared_ptr<detail::registry> registry_;
};

}  // namespace sluice
