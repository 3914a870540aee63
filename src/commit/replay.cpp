#include "commit/replay.hpp"

#include <limits>
#include <utility>

#include <sluice/error.hpp>

#include "commit/stored_event.hpp"
#include "commit/stream_name.hpp"
#include "domain/aggregate_access.hpp"
#include "observe/log.hpp"

namespace sluice::commit {

namespace {

constexpr std::size_t page_size = 500;

std::string place_of(const store::stream_event& event) {
    return "event " + std::to_string(event.position) + " of stream `" + event.event.stream + "`, of type `" +
           event.event.type + "`";
}

}  // namespace

replay::replay(const detail::registry& domain, store::unit_session& session, const detail::aggregate_entry& type,
               std::string_view id)
    : domain_{domain}, session_{session}, type_{type}, id_{id}, stream_{stream_of(type.category, id)} {}

std::optional<replayed> replay::current() {
    return go_on(begin(std::numeric_limits<std::int64_t>::max()), [](const auto&) { return true; });
}

std::optional<replayed> replay::up_to_version(std::int64_t version) {
    return go_on(begin(version), [&](const store::stream_event& event) { return event.position <= version; });
}

std::optional<replayed> replay::up_to_time(date_time time) {
    return go_on({.object = type_.sourcing->blank()},
                 [&](const store::stream_event& event) { return event.event.created_at <= time; });
}

/// The newest usable snapshot that is not newer than asked for, else the aggregate before its first event.
replayed replay::begin(std::int64_t newest) const {
    const auto snapshot = session_.load_snapshot(type_.name, id_);
    if (snapshot && snapshot->layout == type_.sourcing->layout && snapshot->version <= newest) {
        try {
            replayed from{.object = type_.decode(json::parse(snapshot->state)), .snapshot_version = snapshot->version};
            detail::aggregate_access::set_version(*from.object, snapshot->version);
            return from;
        } catch (const error& e) {
            observe::log(observe::level::warn, "snapshot.unreadable",
                         {{"aggregate", type_.name}, {"id", id_}, {"reason", e.what()}});
        }
    }
    return {.object = type_.sourcing->blank()};
}

std::optional<replayed> replay::go_on(replayed from, const condition& wanted) const {
    std::int64_t version = from.object->version();
    for (bool more = true; more;) {
        const auto page = session_.read_stream(stream_, version + 1, page_size);
        more = page.size() == page_size;
        for (const store::stream_event& event : page) {
            if (!wanted(event)) {
                more = false;
                break;
            }
            if (event.position != version + 1) {
                throw decode_error{"stream `" + stream_ + "` has no event at position " + std::to_string(version + 1) +
                                   " but one at " + std::to_string(event.position) +
                                   "; the log was damaged: restore it from a backup"};
            }
            apply(*from.object, event);
            version = event.position;
        }
    }
    if (version < 0) return std::nullopt;
    detail::aggregate_access::set_version(*from.object, version);
    return from;
}

void replay::apply(aggregate_root& object, const store::stream_event& event) const {
    std::string reason;
    try {
        if (const auto known = read_stored_event(domain_, event.event)) {
            const auto how = type_.sourcing->apply.find(known->entry->cpp_name);
            if (how != type_.sourcing->apply.end()) {
                how->second(object, known->data);
                return;
            }
        }
        reason = "domain `" + domain_.name + "` does not know it for " + type_.name +
                 "; declare the event, or let an upcaster bring it up to date";
    } catch (const std::exception& e) {
        reason = std::string{"it cannot be applied: "} + e.what();
    }
    throw decode_error{place_of(event) + ": " + reason};
}

}  // namespace sluice::commit
