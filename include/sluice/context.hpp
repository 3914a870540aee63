#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <sluice/contract.hpp>
#include <sluice/json.hpp>
#include <sluice/message.hpp>
#include <sluice/projection.hpp>
#include <sluice/registry.hpp>
#include <sluice/time.hpp>

namespace sluice {

template <class Aggregate>
class repository;

namespace detail {
class unit;
struct context_state;
}  // namespace detail

/// How a command is processed or submitted.
///
/// Thread safety: a value type.
struct process_options {
    /// Of the command and all messages that come of it, -100 … 100 (see priority.hpp). Below the lanes' threshold they
    /// take the backfill lane. Inherited when empty: from a `processing_priority`, else from the caller.
    std::optional<int> priority{};
    /// Continued from a caller; a new one is made when empty and none is inherited.
    std::string correlation_id{};
    /// W3C text `00-…`; inherited when empty.
    std::string traceparent{};
    /// Names this very request, 1 to 255 characters: whoever repeats it with the same command and data gets the outcome
    /// of the first time, and the handler does not run again. Not inherited.
    std::optional<std::string> idempotency_key{};
    /// The handler does not begin at or after this instant. `process` inherits the caller's when that is earlier.
    std::optional<date_time> deadline{};
    /// The same from now on; the earlier of both counts.
    std::optional<duration> timeout{};
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

    /// Runs the handler of a command in a unit of work, commits, and returns what the handler returned; or joins the
    /// unit that is open already. An outermost unit is repeated with fresh state after a version conflict, as
    /// `[server.version_retry]` says, and after other retryable errors when `[server.transient_retry]` is on.
    ///
    /// With an idempotency key the outcome is committed together with the handler's effects. Repeating the command
    /// returns the first result for `commands.idempotency_retention_hours`; an error of Sluice that is permanent
    /// comes again for `commands.failure_retention_seconds`. After an error that is `in_doubt()` the same call tells
    /// what happened, or does it.
    /// @throws validation_error naming every offending field; whatever the handler throws, after rolling back
    /// @throws deadline_error before the handler began
    /// @throws usage_error the key is not 1 to 255 characters, or was used with another command or other data
    template <command_type Command>
    detail::result_of<Command> process(const Command& command, const process_options& options = {}) {
        [[maybe_unused]] const std::shared_ptr<void> result =
            process_erased(reflect::type_name<Command>(), &command, options);
        if constexpr (!std::is_void_v<detail::result_of<Command>>) {
            return std::move(*static_cast<detail::result_of<Command>*>(result.get()));
        }
    }
    /// The same by name, from untrusted JSON, with the result as JSON: null when the command has none.
    /// @throws usage_error for an unknown command, with the nearest name
    json::value process(std::string_view command, const json::value& data, const process_options& options = {});

    /// Writes a command to the outbox, in the open unit or in one of its own; the engine runs its handler later, at
    /// least once, and with an idempotency key once. What fails there is retried and ends among the dead letters; a
    /// command whose deadline has passed is skipped. The deadline is by default that of `[commands]`, never the
    /// caller's: a follow-up must not be lost because somebody stopped waiting.
    /// @return the id of the command's message: `causation_id()` of what it brings about
    /// @throws validation_error, usage_error, deadline_error, store_error; nothing was written (see error::in_doubt)
    template <command_type Command>
    std::string submit(const Command& command, const process_options& options = {}) {
        return submit_erased(reflect::type_name<Command>(), &command, options);
    }
    /// The same by name, from untrusted JSON. @throws usage_error for an unknown command, with the nearest name
    std::string submit(std::string_view command, const json::value& data, const process_options& options = {});

    /// Gives a command at a later time: it goes to the outbox when it is due, whatever process runs then, and is
    /// handled like every asynchronous command. Written with the commit of the open unit of work, or at once when none
    /// is open. A time that has passed means as soon as possible.
    /// @returns the command's message id, for `cancel`
    /// @throws validation_error naming every offending field, or a time outside the years 1 to 9999
    template <command_type Command>
    std::string schedule(const Command& command, date_time due) {
        return schedule_erased(reflect::type_name<Command>(), &command, due);
    }
    /// Takes a scheduled command back, with the commit of the open unit of work, or at once when none is open. One that
    /// went to the outbox already is handled all the same.
    /// @param id  as `schedule` returned it
    template <command_type Command>
    void cancel(std::string_view id) {
        cancel_erased(reflect::type_name<Command>(), id);
    }

    /// The committed rows of a read model. Needs no unit of work, and does not belong to one.
    /// @throws usage_error when no projector of the domain feeds it
    template <projection_type Row>
    [[nodiscard]] sluice::view<Row> view() const {
        return sluice::view<Row>{rows_of(reflect::type_name<Row>())};
    }

    [[nodiscard]] date_time now() const;
    /// The message being handled; null for a synchronous command from the application.
    [[nodiscard]] const message* current_message() const noexcept;
    [[nodiscard]] const std::string& correlation_id() const noexcept;
    /// `headers.id` of what caused the present work; empty at the root.
    [[nodiscard]] const std::string& causation_id() const noexcept;
    /// Values that enrichers of the producer put beside the message being handled.
    [[nodiscard]] const json::object& extensions() const noexcept;
    [[nodiscard]] int priority() const noexcept;
    /// Of the command being handled, if it has one. What has begun is finished; a handler that takes long may look.
    [[nodiscard]] std::optional<date_time> deadline() const noexcept;

private:
    template <class>
    friend class repository;
    friend class unit_of_work;
    friend struct detail::context_state;

    [[nodiscard]] std::shared_ptr<void> process_erased(std::string_view cpp_name, const void* command,
                                                       const process_options& options);
    [[nodiscard]] std::string submit_erased(std::string_view cpp_name, const void* command,
                                            const process_options& options);
    std::string schedule_erased(std::string_view cpp_name, const void* command, date_time due);
    void cancel_erased(std::string_view cpp_name, std::string_view id);
    [[nodiscard]] detail::unit& open_unit();
    [[nodiscard]] std::shared_ptr<detail::row_source> rows_of(std::string_view row) const;

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
///
/// Thread safety: none, like its context. Lifetime: must end before the context does, which must not be moved
/// meanwhile.
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
