#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/contract.hpp>
#include <sluice/json.hpp>
#include <sluice/message.hpp>
#include <sluice/registry.hpp>

namespace sluice {

template <class Aggregate>
class repository;

namespace detail {
class unit;
struct context_state;
}  // namespace detail

/// How a command is processed.
struct process_options {
    /// Write the command to the outbox instead of running its handler now; the engine handles it.
    bool asynchronous = false;
    /// Below the lanes' threshold the messages of this command take the backfill lane (WIRE 1: -100 … 100).
    int priority = 0;
    /// Continued from a caller; a new one is made when empty and none is inherited.
    std::string correlation_id{};
    /// W3C text `00-…`; inherited when empty.
    std::string traceparent{};
};

/// What a handler, a subscriber or an application holds to do its work: repositories, commands, and the message that
/// is being handled.
///
/// Thread safety: none; one context belongs to one thread. Lifetime: the reference given to a handler is valid during
/// the call only.
class context {
public:
    /// Made by the runtime, not by users.
    explicit context(std::unique_ptr<detail::context_state> state);
    context(context&&) noexcept;
    context& operator=(context&&) noexcept;
    ~context();

    /// The aggregates of one type within the current unit of work.
    /// @throws usage_error when no unit of work is open (open one with `unit_of_work`, or work inside a handler)
    template <class Aggregate>
    [[nodiscard]] sluice::repository<Aggregate> repository();

    /// Runs the handler of a command in a unit of work and commits, or joins the unit that is open already.
    /// A version conflict of an outermost unit is retried a few times with fresh state.
    /// @throws validation_error naming every offending field; whatever the handler throws, after rolling back
    template <command_type Command>
    void process(const Command& command, const process_options& options = {}) {
        process_erased(reflect::type_name<Command>(), &command, options);
    }
    /// The same by name, from untrusted JSON. @throws usage_error for an unknown command, with the nearest name
    void process(std::string_view command, const json::value& data, const process_options& options = {});

    [[nodiscard]] date_time now() const;
    /// The message being handled; null for a synchronous command from the application.
    [[nodiscard]] const message* current_message() const noexcept;
    [[nodiscard]] const std::string& correlation_id() const noexcept;
    /// `headers.id` of what caused the present work; empty at the root.
    [[nodiscard]] const std::string& causation_id() const noexcept;
    /// Values that enrichers of the producer put beside the message being handled.
    [[nodiscard]] const json::object& extensions() const noexcept;
    [[nodiscard]] int priority() const noexcept;

private:
    template <class>
    friend class repository;
    friend class unit_of_work;
    friend struct detail::context_state;

    void process_erased(std::string_view cpp_name, const void* command, const process_options& options);
    [[nodiscard]] detail::unit& open_unit();

    std::unique_ptr<detail::context_state> state_;
};

/// Opens a unit of work by hand: everything added or changed through the context's repositories commits together, or
/// not at all. A unit opened inside another joins it; its commit then only lets the outer one go on.
///
/// @code
/// sluice::unit_of_work work{context};
/// context.repository<Order>().add(Order{…});
/// work.commit();                                  // without this the destructor rolls back
/// @endcode
class unit_of_work {
public:
    explicit unit_of_work(context& in);
    unit_of_work(const unit_of_work&) = delete;
    unit_of_work& operator=(const unit_of_work&) = delete;
    ~unit_of_work();

    /// @throws validation_error, expected_version_error, store_error; nothing was written then (see error::in_doubt)
    /// @throws usage_error when already committed or rolled back
    void commit();
    /// Forgets everything; in a joined unit this dooms the outer one.
    void rollback();

private:
    void give_up() noexcept;

    context& context_;
    bool outermost_;
    bool open_ = true;
};

}  // namespace sluice
