#include "commit/by_events.hpp"

#include <utility>

#include "commit/snapshot.hpp"

namespace sluice::commit {

namespace {

/// The members in which two encoded states differ: `balance`, `owner`.
std::string differing_members(const std::string& one, const std::string& other) {
    const json::value left = json::parse(one);
    const json::value right = json::parse(other);
    std::string names;
    for (const auto& [name, value] : left.as_object()) {
        const json::value* const found = right.find(name);
        if (found != nullptr && *found == value) continue;
        names += (names.empty() ? "`" : ", `") + name + "`";
    }
    return names;
}

/// A change that no event tells would be lost with this unit, in silence.
void require_told_by_events(const tracked& entry) {
    const detail::aggregate_entry& type = *entry.type;
    const std::string is = type.encode(*entry.object);
    const std::string told = type.encode(*entry.told);
    if (is == told) return;
    throw usage_error{quoted(type, entry.id) + " is not what its events say: reading it again would give another " +
                      differing_members(is, told) +
                      "; change the state of an event-sourced aggregate only in `apply`, and only from what the event "
                      "holds"};
}

}  // namespace

std::unique_ptr<tracked> track_history(const detail::aggregate_entry& type, std::string_view id, replayed found) {
    auto entry = std::make_unique<tracked>();
    entry->type = &type;
    entry->id = id;
    entry->object = std::move(found.object);
    entry->told = type.sourcing->copy(*entry->object);
    entry->snapshot_version = found.snapshot_version;
    return entry;
}

void retell(tracked& entry, std::string_view event, const json::value& data) {
    try {
        entry.type->sourcing->apply.find(event)->second(*entry.told, data);
    } catch (const std::exception& e) {
        throw usage_error{"event `" + std::string{event} + "` of " + quoted(*entry.type, entry.id) +
                          " could not be read back after it was stored: " + e.what()};
    }
}

void write_history(const tracked& entry, std::size_t interval, store::commit_batch& batch,
                   std::vector<violation>& violations) {
    const detail::aggregate_entry& type = *entry.type;
    if (entry.state == standing::added && entry.raised == 0) {
        throw usage_error{quoted(type, entry.id) +
                          " was added but raised no event, so there is nothing to store; raise its first event when "
                          "it is made"};
    }
    require_told_by_events(entry);
    if (entry.raised == 0) return;
    add_violations(entry, violations);
    const std::int64_t version = next_version(entry);
    if (!snapshot_is_due(version, entry.snapshot_version, interval)) return;
    batch.snapshots.push_back(snapshot_of(type, entry.id, *entry.object, version));
}

}  // namespace sluice::commit
