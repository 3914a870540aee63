#include "commit/foreign_event.hpp"

#include <utility>

#include <sluice/codec.hpp>
#include <sluice/error.hpp>

#include "commit/event_metadata.hpp"
#include "commit/stream_name.hpp"
#include "envelope/header_rules.hpp"

namespace sluice::commit {

foreign_event prepare_foreign_event(environment& env, std::string_view type, std::string identity, std::string data,
                                    const detail::provenance& from) {
    const detail::registry& domain = env.domain();
    const auto declared = domain.events.find(type);
    if (declared == domain.events.end()) {
        throw usage_error{"event `" + std::string{type} + "` is not declared in domain `" + domain.name +
                          "`; add it to `.events<…>()` of the aggregate or stream in its contract"};
    }
    const detail::event_entry& event = declared->second;
    if (identity.empty()) {
        throw validation_error{
            event.name,
            {{"identity", "is required: its first identifier member must not be empty, or name one in the options"}}};
    }
    violations broken;
    {
        const violations::scope in_identity{broken, "identity"};
        codec::detail::check_text(identity, identifier::rule, broken);
    }
    envelope::check_correlation_id("correlation_id", from.correlation_id, broken);
    envelope::check_name("causation_id", from.causation_id, broken);
    codec::detail::require_none(event.name, broken);
    const detail::aggregate_entry& source = domain.aggregate(event.aggregate);
    std::string stream = stream_of(source.category, identity);
    auto at = [&env, &event, &source, &from, stream, identity = std::move(identity),
               data = envelope::payload{std::move(data)}](std::int64_t position) {
        store::event_write write =
            write_event(env, event, source, identity, {stream, std::to_string(position)}, data, from);
        write.expected_position = position;
        return write;
    };
    return {source, {std::move(stream), std::move(at)}};
}

}  // namespace sluice::commit
