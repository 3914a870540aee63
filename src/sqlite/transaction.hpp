#pragma once

#include "sqlite/connection.hpp"

namespace sluice::sqlite {

/// A transaction that rolls back unless committed. `write` takes the write lock at once, so it cannot fail half-way for
/// want of it; `read` sees one snapshot.
///
/// It is refused (`problem::replaced`) when the file is not the one that stands at its path.
class transaction {
public:
    enum class kind { read, write };

    transaction(connection& db, kind what);
    transaction(const transaction&) = delete;
    transaction& operator=(const transaction&) = delete;
    ~transaction();

    /// As durable as the connection's synchronous mode when this returns. When it fails, `failure::in_doubt` tells
    /// whether the transaction may have taken effect.
    void commit();

private:
    connection& db_;
};

/// A part of a transaction that is undone unless it is kept.
class savepoint {
public:
    explicit savepoint(connection& db);
    savepoint(const savepoint&) = delete;
    savepoint& operator=(const savepoint&) = delete;
    ~savepoint();

    void keep();

private:
    connection& db_;
    bool kept_ = false;
};

}  // namespace sluice::sqlite
