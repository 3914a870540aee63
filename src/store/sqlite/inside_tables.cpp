#include "store/sqlite/inside_tables.hpp"

#include "store/inside_refusals.hpp"
#include "store/text_list.hpp"

namespace sluice::store::sqlite {
namespace {

scheduled_message read_scheduled(const rows& found) {
    scheduled_message message{.id = found.text(0),
                              .due = found.time(1),
                              .message = {.event = {.message_id = found.text(2),
                                                    .stream = found.text(3),
                                                    .stream_category = found.text(4),
                                                    .type = found.text(5),
                                                    .data = found.text(6),
                                                    .metadata = found.text(7),
                                                    .created_at = found.time(8)},
                                          .priority = static_cast<int>(found.integer(9)),
                                          .target_brokers = texts_in(found.view(10))}};
    if (!found.null(11)) message.message.expected_position = found.integer(11);
    return message;
}

}  // namespace

std::optional<stored_snapshot> inside_tables::load_snapshot(std::string_view aggregate, std::string_view id) {
    auto found = load_snapshot_.query(aggregate, id);
    if (!found.next()) return std::nullopt;
    return stored_snapshot{.version = found.integer(0), .layout = found.text(1), .state = found.text(2)};
}

std::optional<command_outcome> inside_tables::outcome_of(std::string_view key, date_time now) {
    auto found = outcome_of_.query(key, to_sql(now));
    if (!found.next()) return std::nullopt;
    return command_outcome{.key = std::string{key},
                           .command = found.text(0),
                           .fingerprint = found.text(1),
                           .succeeded = found.integer(2) != 0,
                           .content = found.text(3),
                           .expires_at = found.time(4)};
}

std::vector<scheduled_message> inside_tables::due_messages(date_time now, std::size_t limit) {
    std::vector<scheduled_message> due;
    auto found = due_messages_.query(to_sql(now), limit);
    while (found.next()) due.push_back(read_scheduled(found));
    return due;
}

std::optional<date_time> inside_tables::next_due() {
    auto found = next_due_.query();
    return found.next() ? found.optional_time(0) : std::nullopt;
}

void inside_tables::write(const snapshot_write& snapshot) {
    write_snapshot_.run(snapshot.aggregate, snapshot.id, snapshot.version, snapshot.layout, snapshot.state);
}

void inside_tables::write(const command_outcome& outcome, date_time now) {
    const auto written = write_outcome_.run(outcome.key, outcome.command, outcome.fingerprint, outcome.succeeded,
                                            outcome.content, to_sql(outcome.expires_at), to_sql(now));
    if (written == 0) throw key_in_use(outcome);
}

void inside_tables::cancel(const cancellation& cancelled) {
    if (!cancelled.due) {
        cancel_.run(cancelled.id);
    } else if (cancel_due_.run(cancelled.id, to_sql(*cancelled.due)) == 0) {
        throw not_due_any_more(cancelled);
    }
}

void inside_tables::schedule(const scheduled_message& message) {
    const auto& [event, priority, target_brokers, expected_position] = message.message;
    schedule_.run(message.id, to_sql(message.due), event.message_id, event.stream, event.stream_category, event.type,
                  event.data, event.metadata, to_sql(event.created_at), priority, text_list(target_brokers),
                  expected_position);
}

void inside_tables::require(const lease_fence& fence) {
    if (!has_epoch_.query(fence.lane, fence.epoch).next()) throw epoch_is_over(fence);
}

}  // namespace sluice::store::sqlite
