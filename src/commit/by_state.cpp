#include "commit/by_state.hpp"

#include <utility>

#include "domain/aggregate_access.hpp"

namespace sluice::commit {

std::unique_ptr<tracked> track_state(const detail::aggregate_entry& type, const store::stored_state& row) {
    auto entry = std::make_unique<tracked>();
    entry->type = &type;
    entry->id = row.id;
    entry->object = type.decode(json::parse(row.state));
    detail::aggregate_access::set_version(*entry->object, row.version);
    // Compared with what this build encodes, not with the stored text: a state written by an older build differs in
    // form, and reading it must not count as a change.
    entry->baseline = type.encode(*entry->object);
    return entry;
}

bool is_changed(const tracked& entry, const std::string& state) {
    return entry.state != standing::loaded || entry.raised > 0 || state != entry.baseline;
}

void write_state(const tracked& entry, store::commit_batch& batch, std::vector<violation>& violations) {
    const detail::aggregate_entry& type = *entry.type;
    store::state_write write;
    write.aggregate = type.name;
    write.id = entry.id;
    write.version = next_version(entry);
    if (entry.state == standing::removed) {
        if (entry.object->version() < 0) return;  // added and removed again: it never was
        write.what = store::state_write::operation::remove;
        batch.states.push_back(std::move(write));
        return;
    }
    write.what =
        entry.state == standing::added ? store::state_write::operation::insert : store::state_write::operation::update;
    write.state = type.encode(*entry.object);
    if (!is_changed(entry, write.state)) return;
    add_violations(entry, violations);
    batch.states.push_back(std::move(write));
}

}  // namespace sluice::commit
