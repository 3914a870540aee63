#include <sluice/context.hpp>

#include <sluice/error.hpp>

#include "base/ids.hpp"
#include "command/command_call.hpp"
#include "command/context_state.hpp"
#include "commit/event_metadata.hpp"

namespace sluice {

namespace {

using detail::unit;

/// @throws validation_error naming every rule that the command or its time breaks
void require_valid(const detail::command_entry& entry, const void* command, date_time due) {
    std::vector<violation> found = entry.validate(command);
    violations broken;
    codec::detail::check_time(due, broken);
    for (violation& each : broken.take()) found.push_back({"due", std::move(each.message)});
    if (!found.empty()) throw validation_error{entry.name, std::move(found)};
}

/// In the unit that is open, or in one of its own.
template <class Change>
void in_unit(const detail::context_state& state, const Change& change) {
    if (state.open != nullptr) return change(*state.open);
    unit own{state.env};
    change(own);
    own.commit();
}

}  // namespace

std::string context::schedule_erased(std::string_view cpp_name, const void* command, date_time due) {
    auto& env = state_->env;
    const detail::command_entry& entry = command::command_of_type(env.domain(), cpp_name);
    const detail::aggregate_entry& aggregate = env.domain().aggregate(entry.aggregate);
    require_valid(entry, command, due);
    const envelope::payload data{entry.encode(command)};
    json::object extensions = state_->extensions;
    const json::object enriched =
        commit::enrich(env.domain().command_enrichers, {entry.name, entry.identity(command), data.value(), *this});
    for (const auto& [key, value] : enriched) extensions.set(key, value);

    const std::string correlation_id =
        state_->correlation_id.empty() ? base::uuid4_hex(env.random()) : state_->correlation_id;
    std::string id = base::uuid4(env.random());
    store::scheduled_message later{.id = id, .due = due, .message = {}};
    later.message = commit::write_command(
        env, entry, aggregate, data, std::move(extensions), id,
        {*this, correlation_id, state_->causation_id, state_->traceparent, state_->priority, state_->event_stream});
    in_unit(*state_, [&](unit& in) { in.schedule(aggregate.database, std::move(later)); });
    return id;
}

void context::cancel_erased(std::string_view cpp_name, std::string_view id) {
    const auto& domain = state_->env.domain();
    const detail::command_entry& entry = command::command_of_type(domain, cpp_name);
    in_unit(*state_, [&](unit& in) { in.cancel(domain.aggregate(entry.aggregate).database, std::string{id}); });
}

}  // namespace sluice
