#include "store/sqlite/enqueue.hpp"

#include <sluice/error.hpp>

#include "store/sqlite/connection.hpp"
#include "store/sqlite/event_writer.hpp"

namespace sluice::store {
namespace {

/// A part of a transaction that is undone unless it is kept.
class savepoint {
public:
    explicit savepoint(sqlite::connection& db) : db_{db} { db_.execute("SAVEPOINT sluice_enqueue"); }
    savepoint(const savepoint&) = delete;
    savepoint& operator=(const savepoint&) = delete;
    ~savepoint() {
        if (kept_) return;
        // Some errors end the whole transaction, and the savepoint with it: then there is nothing to undo.
        sqlite3_exec(db_.handle(), "ROLLBACK TO sluice_enqueue; RELEASE sluice_enqueue", nullptr, nullptr, nullptr);
    }

    void keep() {
        db_.execute("RELEASE sluice_enqueue");
        kept_ = true;
    }

private:
    sqlite::connection& db_;
    bool kept_ = false;
};

}  // namespace

std::string enqueue(sqlite3& connection, const placeable_event& event) {
    if (sqlite3_get_autocommit(&connection) != 0) {
        throw usage_error{
            "an event was to be enqueued on an SQLite connection with no transaction open; execute BEGIN IMMEDIATE "
            "before, so that the event commits together with the application's own changes"};
    }
    sqlite::connection db{connection};
    savepoint writing{db};
    sqlite::event_writer events{db};
    const event_write write = event.at(events.next_position(event.stream));
    events.append(write);
    writing.keep();
    return write.event.message_id;
}

}  // namespace sluice::store
