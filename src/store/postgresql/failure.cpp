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
    return first_clause(field(answer, PG_DIAG_SQLSTATE),
                        message.empty() ? PQresultErrorMessage(answer.get()) : message);
}

/// A refusal in Sluice's own words carries no SQLSTATE of the server's.
constexpr std::string_view no_state = "XX000";

}  // namespace

error_nature nature_of(std::string_view sqlstate) noexcept {
    struct rule {
        std::string_view prefix;
        error_nature nature;
    };
    using enum error_nature;
    // The first prefix counts, so single states come before their class.
    static constexpr std::array rules{
        rule{"57014", retryable},  // cancelled, mostly by statement_timeout
        rule{"53200", retryable},  // out of memory: perhaps for this statement only
        rule{"40003", in_doubt},   // whether the statement was completed is unknown
        rule{"40", conflict},      // serialization, deadlock
        rule{"08", outage},        // connection
        rule{"28", outage},        // password, pg_hba.conf, role
        rule{"3D", outage},        // no such database
        rule{"3F", outage},        // no such schema
        rule{"53", outage},        // disk full, too many connections
        rule{"57", outage},        // shutting down, starting up, recovering
        rule{"58", outage},        // the system underneath
        rule{"F0", outage},        // the server's configuration
        rule{"25006", outage},     // read-only: a standby, or a database that somebody closed for writes
        rule{"42501", outage},     // permission denied
        rule{"42P01", outage},     // no such table: not set up, or another schema
        rule{"42703", outage},     // no such column, likewise
        rule{"42883", outage},     // no such function, likewise
        rule{"55000", outage},     // the object is not ready, for example in recovery
        rule{"55P03", retryable},  // a lock that was not granted in time
        rule{"55006", retryable},  // in use
        rule{"25P03", retryable},  // the session was idle for too long
        rule{"25P04", retryable},  // the transaction took too long
        rule{"26000", retryable},  // a prepared statement that went with its session
        rule{"0A000", retryable},  // a plan that no longer fits its table
        rule{"XX", retryable},     // the server's own trouble: perhaps one damaged page
    };
    for (const auto& [prefix, nature] : rules) {
        if (sqlstate.starts_with(prefix)) return nature;
    }
    return permanent;
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

/// Messages of these classes quote names only; all others may quote what a statement said.
bool quotes_names_only(std::string_view sqlstate) noexcept {
    static constexpr std::array<std::string_view, 9> classes{"08", "23", "28", "3D", "3F", "42", "53", "55", "57"};
    // A type and a value are both quoted by 42804 and such; a syntax error quotes the text around it.
    return sqlstate != "42601" && std::ranges::any_of(classes, [&](auto each) { return sqlstate.starts_with(each); });
}

std::string first_clause(std::string_view sqlstate, std::string_view message) {
    std::size_t end = std::min(message.find(": "), message.find(" : "));  // French has a space on both sides
    end = std::min(end, message.find('\n'));
    if (!quotes_names_only(sqlstate)) {
        // The server's language may quote in its own way.
        for (const std::string_view quote : {"\"", "'", "`", "«", "»", "„", "“", "”", "‘", "「"}) {
            end = std::min(end, message.find(quote));
        }
    }
    message = message.substr(0, end);
    while (message.ends_with(' ')) message.remove_suffix(1);
    return base::one_line(message);
}

connection_lost::connection_lost(const std::string& server, std::string_view reason, error_nature nature)
    : store_error{fmt::format("{}: {}; it is connected again with the next call", server, base::one_line(reason)),
                  nature} {}

bool ends_connection(const result& answer) noexcept {
    const char* severity = PQresultErrorField(answer.get(), PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity == nullptr) return false;
    const std::string_view word = severity;
    return word == "FATAL" || word == "PANIC";
}

}  // namespace sluice::store::postgresql
