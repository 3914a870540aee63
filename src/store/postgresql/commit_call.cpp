#include "store/postgresql/commit_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

#include "store/unit_session.hpp"

namespace sluice::store::postgresql {
namespace {

std::string_view word_for(state_write::operation what) {
    switch (what) {
        case state_write::operation::insert: return "insert";
        case state_write::operation::update: return "update";
        case state_write::operation::remove: break;
    }
    return "remove";
}

/// A place counted from one, as the function tells it.
std::size_t place_in(const std::string& message) {
    std::size_t place = 1;
    std::from_chars(message.data(), message.data() + message.size(), place);
    return place - 1;
}

expected_version_error wrong_version(const state_write& change) {
    if (change.what == state_write::operation::insert) {
        return expected_version_error{
            fmt::format("{} {} exists already; load it instead of adding it", change.aggregate, change.id)};
    }
    return expected_version_error{fmt::format("{} {} is no longer at version {}; load it again and retry",
                                              change.aggregate, change.id, change.version - 1)};
}

expected_version_error wrong_position(const event_write& write, const std::string& position) {
    return expected_version_error{fmt::format("stream {} is at position {}, not {} as expected; load it again and retry",
                                              write.event.stream, position, write.expected_position.value_or(-1))};
}

}  // namespace

commit_call::commit_call(const commit_batch& batch) : batch_{batch} {
    for (const auto& change : batch.states) states_.push_back(&change);
    for (const auto& mark : batch.marks) marks_.push_back(&mark);
    // Stable: a batch may insert and then update the same aggregate.
    std::ranges::stable_sort(states_, {}, [](const state_write* s) { return std::tie(s->aggregate, s->id); });
    std::ranges::stable_sort(marks_, {}, [](const inbox_mark* m) { return std::tie(m->message_id, m->handler); });
}

parameters commit_call::arguments() const {
    using texts = array<std::string_view>;
    const auto push = [](texts& column, std::string_view value) { column.push(value); };

    texts mark_messages;
    texts mark_handlers;
    for (const auto* mark : marks_) {
        push(mark_messages, mark->message_id);
        push(mark_handlers, mark->handler);
    }

    texts writes;
    texts aggregates;
    texts ids;
    array<std::int64_t> versions;
    texts states;
    for (const auto* change : states_) {
        push(writes, word_for(change->what));
        push(aggregates, change->aggregate);
        push(ids, change->id);
        versions.push(change->version);
        push(states, change->state);
    }

    texts messages;
    texts streams;
    texts categories;
    texts types;
    texts datas;
    texts metadatas;
    array<date_time> times;
    array<std::int64_t> expected;
    texts row_messages;
    texts row_brokers;
    array<std::int32_t> row_priorities;
    for (const auto& write : batch_.events) {
        const auto& event = write.event;
        push(messages, event.message_id);
        push(streams, event.stream);
        push(categories, event.stream_category);
        push(types, event.type);
        push(datas, event.data);
        push(metadatas, event.metadata);
        times.push(event.created_at);
        expected.push(write.expected_position);
        for (const auto& broker : write.target_brokers) {
            push(row_messages, event.message_id);
            push(row_brokers, broker);
            row_priorities.push(std::int32_t{write.priority});
        }
    }
    return parameters{batch_.at,    mark_messages, mark_handlers, writes,       aggregates,  ids,           versions,
                      states,       messages,      streams,       categories,   types,       datas,         metadatas,
                      times,        expected,      row_messages,  row_brokers,  row_priorities};
}

std::string commit_sql() {
    return "SELECT @sluice_commit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
}

void commit_call::explain(const statement_error& refusal) const {
    const auto& state = refusal.sqlstate();
    if (state == "SL001") throw wrong_version(*states_.at(place_in(refusal.message())));
    if (state == "SL002") throw wrong_position(batch_.events.at(place_in(refusal.message())), refusal.detail());
    constexpr std::string_view unique_violation = "23505";
    if (state == unique_violation) {
        if (refusal.constraint() == "event_log_message_id") {
            throw duplicate_message{batch_.events.size() == 1
                                        ? "message " + batch_.events.front().event.message_id +
                                              " is in the event log already"
                                        : "one of the messages from " + batch_.events.front().event.message_id +
                                              " on is in the event log already"};
        }
        if (refusal.constraint() == "inbox_mark") {
            const auto& mark = *marks_.front();
            throw duplicate_message{fmt::format("message {} was handled by {} before", mark.message_id, mark.handler)};
        }
    }
    throw refusal;
}

}  // namespace sluice::store::postgresql
