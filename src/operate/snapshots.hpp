#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sluice/json.hpp>
#include <sluice/registry.hpp>

#include "commit/environment.hpp"

/// Snapshots of event-sourced aggregates.
namespace sluice::operate {

/// A snapshot of one instance.
struct snapshot_view {
    std::string aggregate;
    std::string id;
    std::int64_t version = 0;
    bool is_new = false;  ///< it was written now
};

/// What came of snapshots of all instances.
struct snapshots_outcome {
    std::string aggregate;
    std::int64_t written = 0;
    std::int64_t current = 0;  ///< there was one of the present version
    std::int64_t failed = 0;
};

/// Is told how far the work on all instances is.
class snapshots_host {
public:
    virtual ~snapshots_host() = default;
    virtual void failed(const std::string& id, std::string_view reason) = 0;
    virtual void progress(const snapshots_outcome& now) = 0;
};

/// The event-sourced aggregate of that name.
/// @throws request_error (wrong_request) when it is none, with the names that there are
[[nodiscard]] const detail::aggregate_entry& sourced_aggregate(const detail::registry& domain, const std::string& name);

/// @throws request_error (not_found) for an identity that no instance has; decode_error, store_error
[[nodiscard]] snapshot_view create_snapshot(commit::environment& env, const detail::aggregate_entry& type,
                                            const std::string& id);
/// Goes through all instances, one commit each, so that it can be stopped anywhere and begun again. An instance that
/// fails does not keep the others from theirs.
/// @throws store_error
[[nodiscard]] snapshots_outcome create_snapshots(commit::environment& env, const detail::aggregate_entry& type,
                                                 snapshots_host& host);

[[nodiscard]] json::value to_json(const snapshot_view& snapshot);
[[nodiscard]] json::value to_json(const snapshots_outcome& outcome);

}  // namespace sluice::operate
