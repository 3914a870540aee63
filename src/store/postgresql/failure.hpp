#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <sluice/error.hpp>

#include "store/postgresql/result.hpp"

namespace sluice::store::postgresql {

/// What a SQLSTATE tells a caller about trying again: an outage when no statement could succeed, a conflict when
/// another transaction was faster, retryable when the database could not do this one now, permanent when it is about
/// what the statement says.
[[nodiscard]] error_nature nature_of(std::string_view sqlstate) noexcept;
/// What a person can do about it.
[[nodiscard]] std::string_view remedy_for(std::string_view sqlstate) noexcept;

/// What may be shown of a server's message: its first clause, without the values that it quotes. Names of tables,
/// columns, roles and databases stay.
[[nodiscard]] std::string first_clause(std::string_view sqlstate, std::string_view message);

/// The server refused a statement; its transaction was rolled back. The text carries the code and the first clause of
/// the server's primary message, neither its details nor the values that it quotes.
class statement_error : public store_error {
public:
    /// @param place  of the statement in its round trip
    statement_error(const std::string& server, const result& answer, std::size_t place);

    [[nodiscard]] std::size_t place() const noexcept { return place_; }
    [[nodiscard]] const std::string& sqlstate() const noexcept { return sqlstate_; }
    [[nodiscard]] const std::string& message() const noexcept { return message_; }
    /// Name of the constraint that was violated, or empty.
    [[nodiscard]] const std::string& constraint() const noexcept { return constraint_; }
    /// What one of Sluice's own functions adds to its refusal.
    [[nodiscard]] const std::string& detail() const noexcept { return detail_; }

private:
    statement_error(const std::string& server, std::string sqlstate, std::string message, const result& answer,
                    std::size_t place);

    std::size_t place_;
    std::string sqlstate_;
    std::string message_;
    std::string constraint_;
    std::string detail_;
};

/// The connection broke, or the server did not answer in time. What was under way may have happened.
class connection_lost : public store_error {
public:
    /// @param nature  an outage, when the server said that it is going; else whoever was talking may be to blame
    connection_lost(const std::string& server, std::string_view reason, error_nature nature = error_nature::retryable);
};

/// True when the server ends the connection together with the statement.
[[nodiscard]] bool ends_connection(const result& answer) noexcept;

}  // namespace sluice::store::postgresql
