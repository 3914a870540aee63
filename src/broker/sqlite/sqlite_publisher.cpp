#include "broker/sqlite/sqlite_publisher.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "broker/admission.hpp"
#include "broker/reused_id.hpp"
#include "broker/sqlite/fence.hpp"
#include "broker/sqlite/streams.hpp"
#include "envelope/content.hpp"
#include "store/kept_text.hpp"

namespace sluice::broker::sqlite {
namespace {

constexpr const char* remember_producer =
    "INSERT INTO broker_producer(name, epoch, owner, place, timeline) VALUES (?, ?, ?, ?, ?) ON CONFLICT(name) DO "
    "UPDATE "
    "SET epoch = excluded.epoch, owner = excluded.owner, place = excluded.place, timeline = excluded.timeline "
    "WHERE epoch < excluded.epoch OR name = ?6";

/// Looks up each stream of a batch once. No longer than for the batch: what it began may be rolled back.
class batch_streams {
public:
    explicit batch_streams(connection& db) : db_{db} {}
    [[nodiscard]] std::int64_t id_of(std::string_view name) {
        const auto [known, is_new] = ids_.try_emplace(name, 0);
        if (is_new) known->second = ensure_stream(db_, name);
        return known->second;
    }

private:
    connection& db_;
    std::map<std::string_view, std::int64_t> ids_;
};

/// False when the stream has that variant of the message.
bool insert_variant(connection& db, std::int64_t stream, const outgoing& message, std::int64_t variant, date_time now) {
    const envelope::header_list head{message.head.begin(), message.head.end()};
    return statement{db,
                     "INSERT INTO broker_entry(stream_id, message_id, key, created_at, variant, body, head, "
                     "                         content_type) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) "
                     "ON CONFLICT(stream_id, message_id, variant) WHERE replayed = 0 DO NOTHING"}
               .run(stream, message.message_id, message.key, now.micros(), variant, blob{message.body},
                    store::to_kept_text(head), store::to_kept_text(message.content_type)) == 1;
}

/// Keeps the message, unless the stream has it already. Returns its entry.
std::int64_t insert(connection& db, std::int64_t stream, const outgoing& message, date_time now) {
    if (insert_variant(db, stream, message, 0, now)) return db.last_insert_id();

    std::int64_t earlier = 0;
    std::int64_t next_variant = 0;
    statement known{db,
                    "SELECT id, variant, body FROM broker_entry "
                    "WHERE stream_id = ? AND message_id = ? AND replayed = 0 ORDER BY variant"};
    for (auto found = known.query(stream, message.message_id); found.next();) {
        if (envelope::are_copies(found.bytes(2), message.body)) return found.integer(0);
        earlier = found.integer(0);
        next_variant = found.integer(1) + 1;
    }
    static_cast<void>(insert_variant(db, stream, message, next_variant, now));  // nobody else writes now
    const auto entry = db.last_insert_id();
    tell_of_reused_id(message, std::to_string(earlier));
    return entry;
}

}  // namespace

/// Refuses an older epoch of a producer, and remembers a newer one.
void sqlite_publisher::pass_fence(connection& db, const producer& from) {
    if (from.name.empty()) return;
    const auto epoch = static_cast<std::int64_t>(from.epoch);
    if (auto last = read_fence(db, from.name)) {
        if (is_fenced(from, *last)) {
            const auto why = fenced_text(from, *last);
            rival_ = std::move(last);
            throw outage{why, outage::connection_state::usable};
        }
        if (from.epoch == last->epoch && from.owner == last->owner) return;
    }
    const auto timeline = static_cast<std::int64_t>(from.timeline);
    statement{db, remember_producer}.run(from.name, epoch, from.owner, from.place, timeline, from.name);
    for (const auto& name : from.former) {
        statement{db, remember_producer}.run(name, epoch, from.owner, from.place, timeline, from.name);
    }
}

std::vector<verdict> sqlite_publisher::publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) {
    rival_.reset();
    try {
        return write(open(timeout), batch, from);
    } catch (const outage& failure) {
        link_.after(failure);
        return std::vector<verdict>(batch.size(), unreachable{failure.what()});
    }
}

std::string sqlite_publisher::probe(duration timeout) {
    try {
        const transaction nothing{open(timeout), transaction::kind::write};  // can be written, and nobody blocks it
        return {};
    } catch (const outage& failure) {
        link_.after(failure);
        return failure.what();
    }
}

connection& sqlite_publisher::open(duration timeout) {
    return link_.open(std::min(timeout, link_.file().options().busy_timeout));
}

std::vector<verdict> sqlite_publisher::write(connection& db, std::span<const outgoing> batch, const producer& from) {
    const auto now = link_.file().now();
    admission gate{link_.file().options().max_message_bytes};
    std::vector<verdict> verdicts;
    verdicts.reserve(batch.size());

    transaction writing{db, transaction::kind::write};
    pass_fence(db, from);
    batch_streams streams{db};
    for (const auto& message : batch) {
        if (auto no = gate.check(message)) {
            verdicts.push_back(*std::move(no));
        } else {
            verdicts.emplace_back(delivered{std::to_string(insert(db, streams.id_of(message.stream), message, now))});
        }
    }
    retention_.trim(db, now);
    writing.commit();
    return verdicts;
}

}  // namespace sluice::broker::sqlite
