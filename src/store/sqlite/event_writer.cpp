#include "store/sqlite/event_writer.hpp"

#include <algorithm>

#include <sluice/error.hpp>

#include "store/inside_refusals.hpp"
#include "store/sqlite/driver.hpp"
#include "store/unit_session.hpp"

namespace sluice::store::sqlite {

std::int64_t event_writer::next_position(std::string_view stream) {
    auto found = next_position_.query(stream);
    return found.next() ? found.integer(0) : 0;
}

void event_writer::append(std::span<const event_write> writes) {
    if (writes.empty()) return;
    known_ = brokers_.all();
    for (const auto& write : writes) append(write);
}

void event_writer::append(const event_write& write) {
    const auto& event = write.event;
    const auto position = next_position(event.stream);
    if (write.expected_position && *write.expected_position != position) {
        throw wrong_position(write, std::to_string(position));
    }
    // The position is right by construction, so only the id can be taken.
    if (!append_event_.run_unless_taken(event.message_id, event.stream, event.stream_category, position, event.type,
                                        to_sql(event.created_at), bits_of(write.target_brokers), write.priority,
                                        event.data, event.metadata)) {
        throw logged_already(event);
    }
}

std::int64_t event_writer::bits_of(const std::vector<std::string>& target_brokers) {
    std::int64_t bits = 0;
    for (const auto& name : target_brokers) {
        auto broker = std::ranges::find(known_, name, &numbered_broker::name);
        if (broker == known_.end()) broker = known_.insert(known_.end(), brokers_.add(name));
        bits |= broker->bit();
    }
    return bits;
}

}  // namespace sluice::store::sqlite
