#include "commit/fact_event.hpp"

#include <utility>

#include <sluice/error.hpp>

#include "commit/by_state.hpp"
#include "commit/event_metadata.hpp"
#include "commit/stream_name.hpp"

namespace sluice::commit {

namespace {

constexpr std::string_view fact_prefix = "fact-";

}  // namespace

std::string fact_stream_of(const detail::aggregate_entry& type, std::string_view id) {
    return stream_of(type.category, std::string{fact_prefix} + std::string{id});
}

std::string fact_type_of(const detail::registry& domain, const detail::aggregate_entry& type) {
    return domain.camel + "." + type.name + "FactEvent.v1";
}

void require_unambiguous_stream(const detail::aggregate_entry& type, std::string_view id) {
    if (type.facts == facts::none || !id.starts_with(fact_prefix)) return;
    throw validation_error{
        type.name,
        {{"identity", "`" + std::string{id} + "` must not begin with `fact-`: stream `" + stream_of(type.category, id) +
                          "` is that of the facts of `" + std::string{id.substr(fact_prefix.size())} +
                          "`; choose another identity, or let the aggregate have no facts"}}};
}

bool refresh_fact(environment& env, tracked& entry, const detail::provenance& from) {
    const detail::aggregate_entry& type = *entry.type;
    if (type.facts == facts::none) return false;
    std::string state = entry.state == standing::removed ? std::string{} : type.encode(*entry.object);
    const bool changed = type.sourcing ? entry.raised > 0 : is_changed(entry, state);
    if (entry.state == standing::removed || !changed) {
        entry.fact.reset();
        return false;
    }
    require_unambiguous_stream(type, entry.id);
    const detail::event_entry& event = env.domain().events.at(type.fact);
    const event_place place{.stream = fact_stream_of(type, entry.id), .sequence = std::to_string(next_version(entry))};
    if (entry.fact && entry.fact->event.message_id == place.message_id() && entry.fact->event.data == state)
        return false;
    entry.fact = write_event(env, event, type, entry.id, place, envelope::payload{std::move(state)}, from);
    return true;
}

}  // namespace sluice::commit
