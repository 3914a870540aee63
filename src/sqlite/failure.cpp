#include "sqlite/failure.hpp"

#include <sqlite3.h>

namespace sluice::sqlite {

problem problem_of(int code) noexcept {
    constexpr int primary = 0xff;  // the rest says where it happened
    if (code == SQLITE_BUSY_SNAPSHOT) return problem::old_snapshot;
    switch (code & primary) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:  // a race for the locks of the write-ahead log
            return problem::busy;
        case SQLITE_FULL:
            return problem::full;
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return problem::read_only;
        case SQLITE_CANTOPEN:
            return problem::cannot_open;
        case SQLITE_AUTH:
        case SQLITE_NOLFS:
            return problem::not_permitted;
        case SQLITE_NOTADB:
            return problem::no_database;
        case SQLITE_CORRUPT:
            return problem::damaged;
        case SQLITE_IOERR:
            return problem::disk;
        case SQLITE_NOMEM:
        case SQLITE_SCHEMA:
        case SQLITE_INTERRUPT:
            return problem::passing;
        default:
            return problem::other;
    }
}

}  // namespace sluice::sqlite
