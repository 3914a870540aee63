#include "store/sqlite/enqueue.hpp"

#include <sluice/error.hpp>

#include "store/sqlite/driver.hpp"
#include "store/sqlite/event_writer.hpp"

namespace sluice::store {

std::string enqueue(sqlite3& connection, const placeable_event& event) {
    sqlite::connection db{connection, &sqlite::to_store_error};
    if (!db.in_transaction()) {
        throw usage_error{
            "an event was to be enqueued on an SQLite connection with no transaction open; execute BEGIN IMMEDIATE "
            "before, so that the event commits together with the application's own changes"};
    }
    sqlite::savepoint writing{db};
    sqlite::event_writer events{db};
    const event_write write = event.at(events.next_position(event.stream));
    events.append({&write, 1});
    writing.keep();
    return write.event.message_id;
}

}  // namespace sluice::store
