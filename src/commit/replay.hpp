#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/aggregate.hpp>
#include <sluice/registry.hpp>
#include <sluice/time.hpp>

#include "store/unit_session.hpp"

namespace sluice::commit {

/// An aggregate that was rebuilt from its events. Its version is the position of the last one that is in it.
struct replayed {
    std::unique_ptr<aggregate_root> object{};
    std::int64_t snapshot_version = -1;  ///< of the snapshot that it began with; -1: with the first event
};

/// Rebuilds one event-sourced aggregate, in pages: what is in memory is bounded, however long the history.
///
/// No rule of the aggregate is verified: what has happened has happened. A snapshot of another layout, or one that
/// cannot be read, is not used.
///
/// Thread safety and lifetime: those of the session; the registry and the type must outlive it.
class replay {
public:
    replay(const detail::registry& domain, store::unit_session& session, const detail::aggregate_entry& type,
           std::string_view id);

    // All answer with nothing when there is no event. All throw
    // decode_error  naming stream, position and type of an event that is unknown or cannot be applied; store_error

    /// From the newest snapshot on.
    [[nodiscard]] std::optional<replayed> current();
    /// Up to this version, or to the end of a shorter stream.
    [[nodiscard]] std::optional<replayed> up_to_version(std::int64_t version);
    /// Up to the first event that was raised after `time`. Reads from the beginning: a snapshot does not tell when its
    /// events were raised, and clocks of several writers differ.
    [[nodiscard]] std::optional<replayed> up_to_time(date_time time);

private:
    using condition = std::function<bool(const store::stream_event&)>;

    [[nodiscard]] replayed begin(std::int64_t newest) const;
    [[nodiscard]] std::optional<replayed> go_on(replayed from, const condition& wanted) const;
    void apply(aggregate_root& object, const store::stream_event& event) const;

    const detail::registry& domain_;
    store::unit_session& session_;
    const detail::aggregate_entry& type_;
    std::string id_;
    std::string stream_;
};

}  // namespace sluice::commit
