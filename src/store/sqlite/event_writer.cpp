#include "store/sqlite/event_writer.hpp"

#include <string>

#include <sluice/error.hpp>

#include "store/inside_refusals.hpp"
#include "store/sqlite/driver.hpp"
#include "store/unit_session.hpp"

namespace sluice::store::sqlite {

std::int64_t event_writer::next_position(std::string_view stream) {
    auto found = next_position_.query(stream);
    return found.next() ? found.integer(0) : 0;
}

void event_writer::append(const event_write& write) {
    const auto& event = write.event;
    const auto position = next_position(event.stream);
    if (write.expected_position && *write.expected_position != position) {
        throw wrong_position(write, std::to_string(position));
    }
    // The position is right by construction, so only the id can be taken.
    if (!append_event_.run_unless_taken(event.message_id, event.stream, event.stream_category, position, event.type,
                                        to_sql(event.created_at), event.data, event.metadata)) {
        throw logged_already(event);
    }
    const auto seq = db_.last_insert_id();
    for (const auto& broker : write.target_brokers) {
        append_row_.run(broker, seq, event.message_id, event.stream, write.priority);
    }
}

}  // namespace sluice::store::sqlite
