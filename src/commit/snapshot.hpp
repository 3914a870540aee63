#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/registry.hpp>

#include "commit/environment.hpp"
#include "commit/tracked.hpp"

namespace sluice::commit {

/// Events between two snapshots of this aggregate; 0: none are written.
[[nodiscard]] std::size_t snapshot_interval(const detail::aggregate_entry& type,
                                            const config::event_sourcing_settings& settings);

/// Whether a commit that brings an aggregate to `version` writes a snapshot.
/// @param last  version of the newest one, -1 when there is none
[[nodiscard]] bool snapshot_is_due(std::int64_t version, std::int64_t last, std::size_t interval) noexcept;

[[nodiscard]] store::snapshot_write snapshot_of(const detail::aggregate_entry& type, std::string id,
                                                const aggregate_root& object, std::int64_t version);

/// What came of writing a snapshot on demand.
struct snapshot_result {
    std::int64_t version = -1;  ///< of the aggregate
    bool is_new = false;        ///< false: there was one of this version already
};

/// Writes a snapshot of an event-sourced aggregate as it is now.
/// @return nothing when there is no such aggregate
/// @throws decode_error when an event cannot be read, store_error
[[nodiscard]] std::optional<snapshot_result> create_snapshot(environment& env, const detail::aggregate_entry& type,
                                                             std::string_view id);

/// Whether a stream in the name range of an aggregate's category is that of its facts and not of an instance.
[[nodiscard]] bool is_fact_stream(environment& env, const detail::aggregate_entry& type, std::string_view stream);

}  // namespace sluice::commit
