#include "store/postgresql/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/one_line.hpp"

namespace sluice::store::postgresql {
namespace {

std::string field(const result& answer, int which) {
    const char* text = PQresultErrorField(answer.get(), which);
    return text == nullptr ? "" : text;
}

std::string primary_message(const result& answer) {
    auto message = field(answer, PG_DIAG_MESSAGE_PRIMARY);
    return base::one_line(message.empty() ? PQresultErrorMessage(answer.get()) : message);
}

/// A refusal in Sluice's own words carries no SQLSTATE of the server's.
constexpr std::string_view no_state = "XX000";

}  // namespace

error_nature nature_of(std::string_view sqlstate) noexcept {
    // Connection, resources, rollback (serialization, deadlock), operator intervention, the system underneath.
    static constexpr std::array classes{"08", "53", "40", "57", "58"};
    // A lock not granted in time; a server that is read-only because it is a standby now; a prepared statement that
    // went with its session.
    static constexpr std::array<std::string_view, 4> states{"55P03", "25006", "25P03", "26000"};
    const bool retryable = std::ranges::find(classes, sqlstate.substr(0, 2)) != classes.end() ||
                           std::ranges::find(states, sqlstate) != states.end();
    return retryable ? error_nature::retryable : error_nature::permanent;
}

std::string_view remedy_for(std::string_view sqlstate) noexcept {
    // The longest prefix counts, so the single states come first.
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> remedies{{
        {"42P01", "run `sluice db setup`, or correct the schema in the configuration"},
        {"42883", "run `sluice db setup`, or correct the schema in the configuration"},
        {"42703", "run `sluice db setup`, or correct the schema in the configuration"},
        {"3F000", "run `sluice db setup`, or correct the schema in the configuration"},
        {"42501", "grant this user the right to use the schema and its tables"},
        {"3D000", "create the database, or correct its name in database_uri"},
        {"28", "correct user and password in database_uri, or pg_hba.conf"},
        {"53300", "raise max_connections of the server, or lower max_connections of this database"},
        {"53", "free disk, memory or locks on the server"},
        {"55P03", "another transaction keeps a lock; end it, or try again"},
        {"57014", "the server is slow or something is locked; try again"},
        {"25006", "it is a standby; add target_session_attrs=read-write and the other hosts to database_uri"},
        {"40", "try again"},
        {"57", "try again when it is up"},
        {"26000", "set prepare_statements = false when there is a pooler between"},
        {"22021", "a text is not valid UTF-8, or contains U+0000 or a character that the database's encoding lacks"},
    }};
    for (const auto& [prefix, remedy] : remedies) {
        if (sqlstate.starts_with(prefix)) return remedy;
    }
    return "`sluice db status` tells what is in it";
}

statement_error::statement_error(const std::string& server, const result& answer, std::size_t place)
    : statement_error{server, field(answer, PG_DIAG_SQLSTATE), primary_message(answer), answer, place} {}

statement_error::statement_error(const std::string& server, std::string sqlstate, std::string message,
                                 const result& answer, std::size_t place)
    : store_error{fmt::format("{}: {} ({}); {}", server, message, sqlstate.empty() ? no_state : sqlstate,
                              remedy_for(sqlstate)),
                  nature_of(sqlstate)},
      place_{place},
      sqlstate_{std::move(sqlstate)},
      message_{std::move(message)},
      constraint_{field(answer, PG_DIAG_CONSTRAINT_NAME)},
      detail_{field(answer, PG_DIAG_MESSAGE_DETAIL)} {}

connection_lost::connection_lost(const std::string& server, std::string_view reason)
    : store_error{fmt::format("{}: {}; it is connected again with the next call", server, base::one_line(reason)),
                  error_nature::retryable} {}

bool ends_connection(const result& answer) noexcept {
    const char* severity = PQresultErrorField(answer.get(), PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity == nullptr) return false;
    const std::string_view word = severity;
    return word == "FATAL" || word == "PANIC";
}

}  // namespace sluice::store::postgresql
