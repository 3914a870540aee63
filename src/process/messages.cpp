#include "process/messages.hpp"

#include <sluice/context.hpp>

#include "commit/event_metadata.hpp"
#include "commit/stream_name.hpp"
#include "commit/target_brokers.hpp"

namespace sluice::process {

store::event_write write_transition(commit::environment& env, const detail::process_entry& process,
                                    const detail::process_memory& memory, std::string data,
                                    const detail::provenance& from) {
    const std::string number = std::to_string(memory.position);
    message_metadata metadata = commit::common_metadata(env, from);
    metadata.headers.stream = commit::stream_of(process.category, memory.correlation);
    metadata.headers.id = metadata.headers.stream + "-" + number;
    metadata.headers.type = process.transition_type;
    metadata.domain.fqn = process.fqn;
    metadata.domain.kind = message_kind::event;
    metadata.domain.stream_category = process.category;
    metadata.domain.sequence_id = number;
    metadata.extensions = from.in.extensions();
    store::event_write write = commit::finish(std::move(metadata), envelope::payload{std::move(data)}, from.priority);
    write.expected_position = memory.position;
    return write;
}

std::string timeout_id(const detail::process_entry& process, const detail::process_memory& memory,
                       std::string_view name) {
    std::string id = commit::stream_of(process.timeout_category, memory.correlation);
    id += '-';
    id += std::to_string(memory.position);
    id += '.';
    id += name;
    return id;
}

store::scheduled_message write_timeout(commit::environment& env, const detail::process_entry& process,
                                       const detail::process_memory& memory, const std::string& name,
                                       const detail::armed_timer& timer, const detail::provenance& from) {
    message_metadata metadata = commit::common_metadata(env, from);
    metadata.headers.time = timer.due;
    metadata.headers.stream = commit::stream_of(process.timeout_category, memory.correlation);
    metadata.headers.id = timer.id;
    metadata.headers.type = process.timeout_type;
    metadata.domain.fqn = process.fqn;
    metadata.domain.kind = message_kind::event;
    metadata.domain.stream_category = process.timeout_category;
    metadata.domain.sequence_id = std::to_string(memory.position) + "." + name;
    metadata.domain.priority = from.priority;
    commit::trace_creation(env, metadata);
    metadata.extensions = from.in.extensions();
    const envelope::payload data{json::object{
        {"process", process.fqn}, {"correlation", memory.correlation}, {"name", name}, {"due", timer.due.to_string()}}};
    store::event_write message = commit::finish(std::move(metadata), data, from.priority);
    message.target_brokers = commit::internal_target(env.configuration().outbox);
    return {.id = timer.id, .due = timer.due, .message = std::move(message)};
}

}  // namespace sluice::process
