#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/aggregate.hpp>
#include <sluice/json.hpp>
#include <sluice/trace.hpp>

/// What a domain declares, without its types: filled by `sluice::domain`, read by the rooms above. Users do not need
/// it.
namespace sluice {

class context;
class message;

namespace detail {

struct aggregate_entry {
    std::string cpp_name;  ///< `shop::Order`
    std::string name;      ///< `Order`
    std::string category;  ///< `shop::order`
    std::string database;  ///< key of [databases.…]

    // None of these for a stream whose state is kept elsewhere.
    std::unique_ptr<aggregate_root> (*decode)(const json::value& state) = nullptr;
    std::string (*encode)(const aggregate_root& object) = nullptr;
    std::string (*identity)(const aggregate_root& object) = nullptr;
    std::vector<violation> (*validate)(const aggregate_root& object) = nullptr;
};

struct event_entry {
    std::string cpp_name;
    std::string name;
    int version = 1;
    bool published = false;
    std::string aggregate;  ///< cpp_name of its aggregate
    std::string type;       ///< `Shop.OrderShipped.v1`
    std::string fqn;        ///< `shop.OrderShipped`
};

struct command_entry {
    std::string cpp_name;
    std::string name;
    int version = 1;
    std::string aggregate;
    std::string type;
    std::string fqn;
    std::string handler;  ///< fqn of the handler class

    std::function<void(const void* command, context& in)> handle;
    /// Decodes strictly (unknown keys are refused). @throws validation_error naming every offending field
    std::shared_ptr<const void> (*decode)(const json::value& data) = nullptr;
    std::string (*encode)(const void* command) = nullptr;
    std::vector<violation> (*validate)(const void* command) = nullptr;
    /// First identifier field, or empty when it has none.
    std::string (*identity)(const void* command) = nullptr;
};

struct event_handler_entry {
    std::string name;  ///< fqn of the handler class; also its consumer group
    /// By C++ name of the event. Decodes tolerantly (unknown keys are ignored).
    std::map<std::string, std::function<void(const message& m, context& in)>> on;
};

struct subscriber_entry {
    std::string name;  ///< fqn of the subscriber class; also its consumer group
    std::string broker;
    std::string stream;
    std::function<void(const message& m, context& in)> handle;
};

}  // namespace detail

/// What an enricher may look at.
struct enrichment_input {
    std::string_view name;      ///< `OrderShipped` or `ShipOrder`
    std::string_view identity;  ///< of the aggregate (events), or the command's identifier field
    const json::value& data;
    const context& in;
};

/// Returns members for `extensions`; later enrichers win over earlier ones. What it throws fails the command.
using enricher = std::function<json::object(const enrichment_input&)>;

namespace detail {

struct registry {
    std::string name;                                                ///< as given
    std::string normalized;                                          ///< `my_app`
    std::string camel;                                               ///< `MyApp`
    std::map<std::string, aggregate_entry, std::less<>> aggregates;  ///< by C++ name
    std::map<std::string, event_entry, std::less<>> events;          ///< by C++ name
    std::map<std::string, command_entry, std::less<>> commands;      ///< by C++ name
    std::vector<event_handler_entry> event_handlers;
    std::vector<subscriber_entry> subscribers;
    std::vector<enricher> event_enrichers;
    std::vector<enricher> command_enrichers;
    std::vector<trace_subscriber> trace_subscribers;
    /// Mistakes in the declaration, collected so that all are reported at once by `validate`.
    std::vector<std::string> problems;

    [[nodiscard]] const aggregate_entry& aggregate(std::string_view cpp_name) const;
    [[nodiscard]] const event_entry* event_by_type(std::string_view type) const;
    [[nodiscard]] const command_entry* command_by_name(std::string_view name) const;
    [[nodiscard]] const command_entry* command_by_type(std::string_view type) const;

    void add(aggregate_entry entry);
    void add(event_entry entry);
    void add(command_entry entry);
    void add(event_handler_entry entry);
    void add(subscriber_entry entry);
};

}  // namespace detail
}  // namespace sluice
