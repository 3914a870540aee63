#pragma once

#include <exception>
#include <string>

#include <sluice/error.hpp>

#include "sqlite/connection.hpp"
#include "sqlite/statement.hpp"
#include "sqlite/transaction.hpp"

/// SQLite as this broker uses it.
namespace sluice::broker::sqlite {

using sluice::sqlite::blob;
using sluice::sqlite::connection;
using sluice::sqlite::rows;
using sluice::sqlite::statement;
using sluice::sqlite::transaction;

/// The broker's file cannot be used now. `what()` is one line: file, reason, remedy.
class outage : public broker_error {
public:
    enum class connection_state { usable, suspect };

    outage(const std::string& what, connection_state state)
        : broker_error{what, error_nature::retryable}, state_{state} {}
    /// True when the connection should be closed and opened again.
    [[nodiscard]] bool suspect() const noexcept { return state_ == connection_state::suspect; }

private:
    connection_state state_;
};

/// An `outage`, whatever it was: the connection is suspect unless another one only wrote for too long.
[[nodiscard]] std::exception_ptr to_outage(const sluice::sqlite::failure& what);

}  // namespace sluice::broker::sqlite
