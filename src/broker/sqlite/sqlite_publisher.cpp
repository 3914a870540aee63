#include "broker/sqlite/sqlite_publisher.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "broker/admission.hpp"
#include "broker/sqlite/streams.hpp"

namespace sluice::broker::sqlite {
namespace {

/// Refuses an older epoch of a producer, and remembers a newer one.
void pass_fence(connection& db, const producer& from) {
    if (from.name.empty()) return;
    const auto epoch = static_cast<std::int64_t>(from.epoch);
    query known{db, "SELECT epoch FROM broker_producer WHERE name = ?"};
    const auto last = known.bind(from.name).next() ? known.integer(0) : -1;
    if (epoch < last) {
        throw outage{
            fmt::format("fenced: a newer owner of lane {} publishes (epoch {}, ours is {})", from.name, last, epoch),
            outage::connection_state::usable};
    }
    if (epoch == last) return;
    query{db,
          "INSERT INTO broker_producer(name, epoch) VALUES (?, ?) "
          "ON CONFLICT(name) DO UPDATE SET epoch = excluded.epoch"}
        .bind(from.name, epoch)
        .run();
    for (const auto& name : from.former) {
        query{db,
              "INSERT INTO broker_producer(name, epoch) VALUES (?, ?) "
              "ON CONFLICT(name) DO UPDATE SET epoch = max(epoch, excluded.epoch)"}
            .bind(name, epoch)
            .run();
    }
}

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

/// Keeps the message, unless the stream has it already. Returns its entry.
std::int64_t insert(connection& db, std::int64_t stream, const outgoing& message, date_time now) {
    query{db,
          "INSERT INTO broker_entry(stream_id, message_id, key, body, created_at) VALUES (?1, ?2, ?3, ?5, ?4) "
          "ON CONFLICT(stream_id, message_id) WHERE replayed = 0 DO NOTHING"}
        .bind(stream, message.message_id, message.key, now)
        .bind_blob(5, message.body)
        .run();
    if (db.changes() == 1) return db.last_insert_id();

    query first{db, "SELECT id FROM broker_entry WHERE stream_id = ? AND message_id = ? AND replayed = 0"};
    static_cast<void>(first.bind(stream, message.message_id).next());
    return first.integer(0);
}

}  // namespace

std::vector<verdict> sqlite_publisher::publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) {
    try {
        return write(open(timeout), batch, from);
    } catch (const outage& failure) {
        link_.after(failure);
        return std::vector<verdict>(batch.size(), unreachable{failure.what()});
    }
}

std::string sqlite_publisher::probe(duration timeout) {
    try {
        const write_transaction nothing{open(timeout)};  // can be written, and nobody blocks it
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

    write_transaction transaction{db};
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
    transaction.commit();
    return verdicts;
}

}  // namespace sluice::broker::sqlite
