#include "sqlite/transaction.hpp"

#include <sqlite3.h>

#include <exception>

namespace sluice::sqlite {

transaction::transaction(connection& db, kind what) : db_{db} {
    if (!db_.is_in_place()) db_.fail(problem::replaced);
    (what == kind::write ? db_.begin_write_ : db_.begin_read_).run();
}

transaction::~transaction() {
    if (!db_.in_transaction()) return;
    try {
        // A failure changes nothing: SQLite has rolled back by itself, or will when the connection is closed.
        static_cast<void>(db_.rollback_.attempt());
    } catch (const std::exception&) {
        return;  // not even prepared: there is no memory
    }
}

void transaction::commit() {
    constexpr int primary = 0xff;
    const int code = db_.commit_.attempt();
    if (code == SQLITE_OK) return;
    const bool before_the_disk = (code & primary) == SQLITE_BUSY;
    db_.fail(code, before_the_disk ? connection::outcome::nothing_done : connection::outcome::in_doubt);
}

savepoint::savepoint(connection& db) : db_{db} { db_.execute("SAVEPOINT sluice"); }

savepoint::~savepoint() {
    if (kept_) return;
    // Some errors end the whole transaction, and the savepoint with it: then there is nothing to undo.
    sqlite3_exec(db_.handle(), "ROLLBACK TO sluice; RELEASE sluice", nullptr, nullptr, nullptr);
}

void savepoint::keep() {
    db_.execute("RELEASE sluice");
    kept_ = true;
}

}  // namespace sluice::sqlite
