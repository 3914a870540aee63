#pragma once

#include "store/postgresql/connection.hpp"
#include "store/postgresql/parameters.hpp"
#include "store/postgresql/result.hpp"

namespace sluice::store::postgresql {

/// A transaction over several round trips; rolled back unless committed. Each statement sees what is committed when it
/// begins.
///
/// Thread safety and lifetime: those of the connection.
class long_transaction {
public:
    explicit long_transaction(connection& db);
    long_transaction(const long_transaction&) = delete;
    long_transaction& operator=(const long_transaction&) = delete;
    ~long_transaction();

    /// @throws statement_error  and the transaction has been rolled back
    result run(const statement& what, const parameters& with = parameters{});
    void commit();

private:
    connection& db_;
    bool open_ = true;
};

}  // namespace sluice::store::postgresql
