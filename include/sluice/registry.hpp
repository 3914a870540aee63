#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/aggregate.hpp>
#include <sluice/detail/field_tree.hpp>
#include <sluice/detail/rows.hpp>
#include <sluice/fact.hpp>
#include <sluice/json.hpp>
#include <sluice/subscription_options.hpp>
#include <sluice/trace.hpp>
#include <sluice/upcaster.hpp>

/// What a domain declares, without its types: filled by `sluice::domain`, read by the rooms above. Users do not need
/// it.
namespace sluice {

class context;
class message;
class process_root;
struct timeout;

namespace detail {

/// What is known of an aggregate whose events are its state.
struct event_sourcing {
    /// Before its first event.
    std::unique_ptr<aggregate_root> (*blank)() = nullptr;
    std::unique_ptr<aggregate_root> (*copy)(const aggregate_root& object) = nullptr;
    /// By C++ name of the event. @throws validation_error for data that is not the event's; whatever `apply` throws
    std::map<std::string, void (*)(aggregate_root& object, const json::value& data), std::less<>> apply;
    std::string layout;  ///< fingerprint of its fields, set by the registry; other snapshots are not used
    int snapshot_version = 1;
    std::optional<std::size_t> snapshot_every;  ///< events between snapshots; as configured when empty
};

struct aggregate_entry {
    std::string cpp_name;  ///< `shop::Order`
    std::string name;      ///< `Order`
    std::string category;  ///< `shop::order`
    std::string database;  ///< key of [databases.…]
    sluice::facts facts = sluice::facts::none;
    std::string fact;  ///< C++ name of its fact among the events; empty for a stream

    // None of these for a stream whose state is kept elsewhere.
    const field_tree* fields = nullptr;
    std::unique_ptr<aggregate_root> (*decode)(const json::value& state) = nullptr;
    std::string (*encode)(const aggregate_root& object) = nullptr;
    std::string (*identity)(const aggregate_root& object) = nullptr;
    std::vector<violation> (*validate)(const aggregate_root& object) = nullptr;

    std::optional<event_sourcing> sourcing;  ///< only of event-sourced aggregates
};

struct event_entry {
    std::string cpp_name;
    std::string name;
    int version = 1;
    bool published = false;
    std::string aggregate;  ///< cpp_name of its aggregate
    std::string type;       ///< `Shop.OrderShipped.v1`
    std::string fqn;        ///< `shop.OrderShipped`

    const field_tree* fields = nullptr;  ///< null for a fact, whose data is the state of its aggregate
    /// Reads what was stored, in the current version, as handlers do. Null for a fact.
    /// @throws validation_error naming every offending field
    void (*try_read)(const json::value& data) = nullptr;
};

/// One step from an older version of an event to a later one.
struct upcaster_entry {
    std::string event;  ///< cpp_name
    int from = 1;
    int to = 2;
    event_converter convert;
};

/// An older version in which a published event leaves, too.
struct also_published_entry {
    std::string event;  ///< cpp_name
    int version = 1;
    event_converter convert;
};

/// A stored event or the payload of a message, as this domain reads it.
///
/// Lifetime: refers to the registry, and to the payload it was read from when that is of the current version already.
class readable_event {
public:
    readable_event(const event_entry& event, const json::value& as_written)
        : event_{&event}, as_written_{&as_written} {}
    readable_event(const event_entry& event, json::object upcast)
        : event_{&event}, upcast_{json::value{std::move(upcast)}} {}

    [[nodiscard]] const event_entry& entry() const noexcept { return *event_; }
    /// The payload in the current version: what the event's struct is decoded from, unknown keys ignored.
    [[nodiscard]] const json::value& data() const noexcept { return upcast_ ? *upcast_ : *as_written_; }
    /// True when it was written in an older version.
    [[nodiscard]] bool is_upcast() const noexcept { return upcast_.has_value(); }

private:
    const event_entry* event_;
    const json::value* as_written_ = nullptr;
    std::optional<json::value> upcast_;
};

struct command_entry {
    std::string cpp_name;
    std::string name;
    int version = 1;
    std::string aggregate;
    std::string type;
    std::string fqn;
    std::string handler;  ///< fqn of the handler class
    const field_tree* fields = nullptr;

    /// What comes back is the handler's result, owned and without its type; null when the contract names none.
    /// @throws validation_error when the result breaks its rules; whatever the handler throws
    std::function<std::shared_ptr<void>(const void* command, context& in)> handle;
    /// JSON text of such a result: `null` for none.
    std::string (*encode_result)(const void* result) = nullptr;
    /// The way back, tolerant of what an older build wrote.
    std::shared_ptr<void> (*decode_result)(const json::value& written) = nullptr;
    /// Decodes strictly (unknown keys are refused). @throws validation_error naming every offending field
    std::shared_ptr<const void> (*decode)(const json::value& data) = nullptr;
    /// The same for one that was submitted or scheduled, maybe by an older build: a missing key leaves its member as
    /// initialised.
    std::shared_ptr<const void> (*decode_waiting)(const json::value& data) = nullptr;
    std::string (*encode)(const void* command) = nullptr;
    std::vector<violation> (*validate)(const void* command) = nullptr;
    /// First identifier field, or empty when it has none.
    std::string (*identity)(const void* command) = nullptr;
    subscription_options options{};  ///< of its handler
};

struct event_handler_entry {
    std::string name;          ///< as given, else fqn of the handler class; also its consumer group
    std::string class_name{};  ///< fqn
    /// By C++ name of the event. Decodes tolerantly (unknown keys are ignored).
    std::map<std::string, std::function<void(const message& m, context& in)>> on;
    subscription_options options{};
    /// By C++ name of the event, for each of them or for none (see sequential_handler).
    std::map<std::string, std::function<std::string(const message& m)>> sequential_key{};

    [[nodiscard]] bool sequential() const noexcept { return !sequential_key.empty(); }
};

struct subscriber_entry {
    std::string name;          ///< as given, else fqn of the subscriber class; also its consumer group
    std::string class_name{};  ///< fqn
    std::string broker;
    std::string stream;
    std::function<void(const message& m, context& in)> handle;
    subscription_options options{};
};

/// What a process manager does with one event.
struct process_reaction {
    enum class part { starts, continues, completes };

    part role = part::continues;
    std::string field;  ///< the member that names the instance
    /// Decodes tolerantly (unknown keys are ignored).
    std::shared_ptr<const void> (*decode)(const json::value& data) = nullptr;
    std::function<std::string(const void* event)> correlation;
    void (*run)(process_root& process, const void* event, context& in) = nullptr;
};

struct process_entry {
    std::string cpp_name;          ///< `bank::Transfer`
    std::string name;              ///< `Transfer`
    std::string fqn;               ///< `bank.Transfer`
    std::string group;             ///< its consumer group: the name that was given for it, else `fqn`
    std::string category;          ///< `bank::transfer`: of the streams of transitions
    std::string timeout_category;  ///< `bank::transfer:timeout`
    std::string transition_type;   ///< `Bank._PMTransition.v1`
    std::string timeout_type;      ///< `Bank._PMTimeout.v1`
    std::string database;          ///< key of [databases.…]
    const field_tree* fields = nullptr;
    bool retry_when_missing = false;
    subscription_options options{};
    std::map<std::string, process_reaction, std::less<>> on;  ///< by C++ name of the event

    std::function<std::unique_ptr<process_root>()> create;
    std::function<std::unique_ptr<process_root>(const json::value& state)> decode;
    std::string (*encode)(const process_root& process) = nullptr;
    std::vector<violation> (*validate)(const process_root& process) = nullptr;
    /// Null when it sets no timers.
    void (*on_timeout)(process_root& process, const timeout& t, context& in) = nullptr;
};

/// What a projector does with an event of the log or of the broker.
/// @param m  null unless the projector asks for messages
using projection_step = std::function<void(const json::value& data, const message* m, row_set& rows)>;

struct projector_entry {
    std::string name;                    ///< as given, else fqn of the projector class
    std::string class_name{};            ///< fqn
    std::string row;                     ///< C++ name of the read model's struct
    const field_tree* fields = nullptr;  ///< of that struct
    table_layout table;                  ///< its fingerprint tells one build's table from another's
    bool wants_messages = false;         ///< some reaction takes a `message`
    subscription_options options{};
    std::map<std::string, projection_step, std::less<>> on{};  ///< by C++ name of the event; decodes tolerantly
};

}  // namespace detail

/// What an enricher may look at.
///
/// Thread safety: none; an enricher may be called by several threads at a time, by each with input of its own.
/// Lifetime: during the call only.
struct enrichment_input {
    std::string_view name;      ///< `OrderShipped` or `ShipOrder`
    std::string_view identity;  ///< of the aggregate (events), or the command's identifier field
    const json::value& data;
    const context& in;
};

/// Returns members for `extensions`; later enrichers win over earlier ones. What it throws fails the command.
using enricher = std::function<json::object(const enrichment_input&)>;

namespace detail {

/// Thread safety: filled by one thread; then const members may be called concurrently.
struct registry {
    registry() = default;
    registry(registry&&) = default;  // the indexes below point into the maps, whose elements stay where they are
    registry& operator=(registry&&) = default;
    registry(const registry&) = delete;
    registry& operator=(const registry&) = delete;
    ~registry() = default;

    std::string name;                                                       ///< as given
    std::string normalized;                                                 ///< `my_app`
    std::string camel;                                                      ///< `MyApp`
    std::map<std::string, aggregate_entry, std::less<>> aggregates;         ///< by C++ name
    std::map<std::string, event_entry, std::less<>> events;                 ///< by C++ name
    std::map<std::string, command_entry, std::less<>> commands;             ///< by C++ name
    std::map<std::string, upcast_chain, std::less<>> upcasters;             ///< by C++ name of the event
    std::map<std::string, older_publications, std::less<>> also_published;  ///< by C++ name of the event
    std::vector<event_handler_entry> event_handlers;
    std::vector<subscriber_entry> subscribers;
    std::map<std::string, process_entry, std::less<>> processes;  ///< by C++ name
    std::vector<projector_entry> projectors;
    std::vector<enricher> event_enrichers;
    std::vector<enricher> command_enrichers;
    std::vector<trace_subscriber> trace_subscribers;
    /// Mistakes in the declaration, collected so that all are reported at once by `validate`.
    std::vector<std::string> problems;

    [[nodiscard]] const aggregate_entry& aggregate(std::string_view cpp_name) const;
    [[nodiscard]] const aggregate_entry* aggregate_by_name(std::string_view name) const;
    /// The event that messages of this type are read as: its current version, or an older one from which upcasters
    /// lead to it. Null for all other types, versions of tomorrow among them.
    [[nodiscard]] const event_entry* event_by_type(std::string_view type) const;
    /// The one way in which a stored event, or the payload of a message, becomes an event of this domain.
    ///
    /// The current version costs one look into a map and no copy. `data` must outlive the result.
    /// @param type  on the wire, `Shop.OrderShipped.v1`
    /// @returns nothing when `event_by_type` knows no such type
    /// @throws decode_error  an upcaster threw, or `data` is of an older version and no object; names event, versions
    ///                       and reason
    [[nodiscard]] std::optional<readable_event> read_event(std::string_view type, const json::value& data) const;
    std::optional<readable_event> read_event(std::string_view type, json::value&& data) const = delete;
    /// Versions before the current one that nothing leads from, ascending: what was written in them cannot be read.
    [[nodiscard]] std::vector<int> unreadable_versions(const event_entry& event) const;
    /// `Shop.OrderShipped.v1`
    [[nodiscard]] std::string type_of(std::string_view event_or_command, int version) const;
    [[nodiscard]] const command_entry* command_by_name(std::string_view name) const;
    [[nodiscard]] const command_entry* command_by_type(std::string_view type) const;
    /// The projector that feeds a read model, by the C++ name of its struct, or null.
    [[nodiscard]] const projector_entry* projector_of(std::string_view row) const;
    /// The stream categories that a projector reads, and the database that holds them.
    [[nodiscard]] std::vector<std::string> categories_of(const projector_entry& projector) const;
    /// @throws usage_error when the declaration names an aggregate that it does not declare
    [[nodiscard]] const std::string& database_of(const projector_entry& projector) const;

    /// Adds its fact to the events when it has facts.
    void add(aggregate_entry entry);
    void add(event_entry entry);
    void add(upcaster_entry entry);
    void add(also_published_entry entry);
    void add(command_entry entry);
    void add(event_handler_entry entry);
    void add(subscriber_entry entry);
    void add(projector_entry entry);
    /// The entry as it is kept, to be filled by the declaration.
    process_entry& add(process_entry entry);
    void add(process_entry& to, std::string event, process_reaction reaction);

private:
    /// An event under the type of an older version.
    struct older_type {
        const event_entry* event;
        const upcast_chain* steps;
        int version;
    };
    template <class Target>
    using index = std::map<std::string, Target, std::less<>>;

    void index_older_types(std::string_view event);

    index<const event_entry*> event_types_;
    index<older_type> older_types_;
    index<const command_entry*> command_types_;
    index<const command_entry*> command_names_;
};

}  // namespace detail
}  // namespace sluice
