#include "commit/snapshot.hpp"

#include <utility>

#include <sluice/error.hpp>

#include "commit/fact_event.hpp"
#include "commit/replay.hpp"

namespace sluice::commit {

std::size_t snapshot_interval(const detail::aggregate_entry& type, const config::event_sourcing_settings& settings) {
    return type.sourcing->snapshot_every.value_or(settings.snapshot_every);
}

bool snapshot_is_due(std::int64_t version, std::int64_t last, std::size_t interval) noexcept {
    return interval > 0 && version - last >= static_cast<std::int64_t>(interval);
}

store::snapshot_write snapshot_of(const detail::aggregate_entry& type, std::string id, const aggregate_root& object,
                                  std::int64_t version) {
    return {.aggregate = type.name,
            .id = std::move(id),
            .version = version,
            .layout = type.sourcing->layout,
            .state = type.encode(object)};
}

std::optional<snapshot_result> create_snapshot(environment& env, const detail::aggregate_entry& type,
                                               std::string_view id) {
    return env.sessions(type.database).use([&](store::unit_session& session) -> std::optional<snapshot_result> {
        const auto found = replay{env.domain(), session, type, id}.current();
        // A stream in the same name range may belong to something else; an instance knows its own name.
        if (!found || type.identity(*found->object) != id) return std::nullopt;
        const std::int64_t version = found->object->version();
        if (found->snapshot_version == version) return snapshot_result{version, false};
        store::commit_batch batch;
        batch.snapshots.push_back(snapshot_of(type, std::string{id}, *found->object, version));
        batch.at = env.time().now();
        session.commit(batch);
        return snapshot_result{version, true};
    });
}

bool is_fact_stream(environment& env, const detail::aggregate_entry& type, std::string_view stream) {
    if (!stream.starts_with(fact_stream_of(type, {}))) return false;
    // An aggregate without facts may well have an identity that begins with `fact-`.
    auto session = env.sessions(type.database).borrow();
    const auto first = session->read_stream(stream, 0, 1);
    return !first.empty() && first.front().event.type == fact_type_of(env.domain(), type);
}

}  // namespace sluice::commit
