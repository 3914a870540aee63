#include "process/input.hpp"

#include <sluice/error.hpp>

namespace sluice::process {

namespace {

process_input read_timeout(const message& m) {
    const json::value& data = m.data();
    process_input read;
    read.correlation = data.at("correlation").as_string();
    read.fired = {.name = data.at("name").as_string(), .due = date_time::parse(data.at("due").as_string())};
    read.handler_name = "timeout:" + read.fired.name;
    return read;
}

/// @throws validation_error when the event does not name an instance
void require_correlation(const detail::process_entry& process, const process_input& read) {
    violations broken;
    {
        const violations::scope in_field{broken, read.reaction->field};
        codec::detail::check_text(read.correlation, identifier::rule, broken);
    }
    if (broken.empty()) return;
    auto found = broken.take();
    for (violation& each : found) each.message += "; process manager " + process.fqn + " finds its instance by it";
    throw validation_error{read.handler_name, std::move(found)};
}

process_input read_event(const detail::registry& domain, const detail::process_entry& process, const message& m) {
    const auto event = domain.read_event(m.type().text(), m.data());
    const auto reaction = event ? process.on.find(event->entry().cpp_name) : process.on.end();
    if (reaction == process.on.end()) {
        throw decode_error{"process manager `" + process.fqn + "` does not react to messages of type `" +
                           m.type().text() + "`"};
    }
    process_input read;
    read.reaction = &reaction->second;
    read.handler_name = event->entry().name;
    read.event = read.reaction->decode(event->data());
    read.correlation = read.reaction->correlation(read.event.get());
    require_correlation(process, read);
    return read;
}

}  // namespace

process_input read_process_input(const detail::registry& domain, const detail::process_entry& process,
                                 const message& m) {
    const bool is_timeout = process.on_timeout != nullptr && m.type().text() == process.timeout_type;
    process_input read = is_timeout ? read_timeout(m) : read_event(domain, process, m);
    read.message_id = m.id();
    return read;
}

}  // namespace sluice::process
