#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <sluice/codec.hpp>
#include <sluice/contract.hpp>
#include <sluice/domain.hpp>
#include <sluice/identity.hpp>
#include <sluice/settings.hpp>

struct sqlite3;  // a connection of SQLite's library
struct pg_conn;  // what libpq calls PGconn

namespace sluice {

/// What an event carries besides its data.
///
/// Thread safety: a value type. Lifetime: the texts need to live during the call of `enqueue` only.
struct enqueue_options {
    std::string_view identity{};        ///< of the aggregate; the event's first `identifier` when empty
    std::string_view correlation_id{};  ///< of the work at hand; a new one is made when empty
    std::string_view causation_id{};    ///< `headers.id` of the message that caused the event
    std::string_view traceparent{};     ///< W3C text `00-…`
    int priority = 0;                   ///< see process_options
};

/// Bring your own transaction: writes events and their outbox rows on a connection of the application's, inside the
/// transaction that is open there, and leaves commit and rollback to the application. State of the application's own
/// tables and the events commit together or not at all; the lanes of `sluice server` carry the rows like any others.
///
/// The events are declared in a domain (`domain::stream` for things whose state Sluice does not keep), the brokers in
/// its domain.toml. `sluice db setup` makes the tables in the application's database.
///
/// An event's id is `{stream}-{position}`, as for an event-sourced aggregate. Writers of one stream wait for
/// each other until their transactions end, so its order is the order of the commits.
///
/// @code
/// const sluice::transactional_outbox outbox{shop::make_domain(), "domain.toml"};
/// PQexec(connection, "BEGIN");
/// PQexec(connection, "UPDATE orders SET shipped = true WHERE id = 'o-1'");
/// outbox.enqueue(connection, OrderShipped{.order_id = "o-1", .shipped_at = sluice::date_time::now()});
/// PQexec(connection, "COMMIT");
/// @endcode
///
/// Needs the CMake target `sluice::application`, in which no command line is. Thread safety: const members may be
/// called concurrently, each with a connection of its own.
class transactional_outbox {
public:
    /// @throws configuration_error with everything that is wrong in the declaration or the file
    explicit transactional_outbox(domain declared, const std::filesystem::path& configuration = "domain.toml");
    transactional_outbox(domain declared, const settings& configuration);
    transactional_outbox(transactional_outbox&&) noexcept;
    transactional_outbox& operator=(transactional_outbox&&) noexcept;
    ~transactional_outbox();

    /// Returns the id of the message.
    /// @param connection  in a transaction; on SQLite in one that may write. It is not kept
    /// @throws validation_error  naming every field that breaks its rule; nothing was written
    /// @throws usage_error  no transaction is open, the event is not declared, or its database is of another kind
    /// @throws store_error  the database refused; PostgreSQL's transaction can only be rolled back then, on SQLite
    ///         nothing of the event was written and the transaction goes on
    template <event_type Event>
    std::string enqueue(sqlite3* connection, const Event& event, const enqueue_options& options = {}) const {
        codec::require_valid(event);
        return write(connection, describe(event, options), options);
    }
    /// The same on PostgreSQL; `connection` is a `PGconn*` that is not in pipeline mode.
    template <event_type Event>
    std::string enqueue(pg_conn* connection, const Event& event, const enqueue_options& options = {}) const {
        codec::require_valid(event);
        return write(connection, describe(event, options), options);
    }

private:
    /// An event without its type.
    struct described {
        std::string_view type;  ///< C++ name
        std::string identity;
        std::string data;
    };

    template <class Event>
    static described describe(const Event& event, const enqueue_options& options) {
        return {reflect::type_name<Event>(),
                options.identity.empty() ? detail::identity_of(event) : std::string{options.identity},
                codec::encode(event)};
    }

    std::string write(sqlite3* connection, described event, const enqueue_options& options) const;
    std::string write(pg_conn* connection, described event, const enqueue_options& options) const;

    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace sluice
