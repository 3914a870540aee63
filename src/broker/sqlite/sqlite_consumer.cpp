#include "broker/sqlite/sqlite_consumer.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "broker/hand_out.hpp"
#include "store/kept_text.hpp"

namespace sluice::broker::sqlite {
namespace {

std::int64_t parse_entry(std::string_view text) {
    std::int64_t id = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (failure != std::errc{} || end != text.data() + text.size()) {
        throw usage_error{"'" + std::string{text} + "' is no entry of a sqlite broker; pass what read() returned"};
    }
    return id;
}

}  // namespace

/// Runs an action on the joined group's connection, and lets go of the connection when it proves bad.
template <class Action>
auto sqlite_consumer::guarded(Action action) {
    try {
        auto& db = link_.open();
        join(db);
        return action(db);
    } catch (const outage& failure) {
        link_.after(failure);
        throw;
    }
}

void sqlite_consumer::join(connection& db) {
    if (group_ && joined_ == link_.generation()) return;
    group_ = find_group(db, stream_, member_.group);
    if (!group_ || group_->abandoned || group_->domain != member_.domain) {
        transaction writing{db, transaction::kind::write};
        const auto made = ensure_group(db, stream_, member_);
        writing.commit();
        group_ = made;
    }
    watch_.emplace(db);
    joined_ = link_.generation();
}

std::vector<delivery> sqlite_consumer::read(std::size_t limit, date_time now) {
    return guarded([&](connection& db) -> std::vector<delivery> {
        seen_version_ = db.data_version();
        if (limit == 0 || !something_to_read(db, now)) return {};
        return claim(db, limit, now);
    });
}

template <class Take, class Park>
void sqlite_consumer::walk(connection& db, std::size_t limit, date_time now, Take take, Park park) const {
    hand_out decide{limit, hand_out::default_max_parked, member_.page_bytes};

    statement select_pending{db,
                             "SELECT p.entry_id, p.key, p.consumer, c.alive_until, p.attempts, p.not_before, e.body, "
                             "c.consumer, c.incarnation, c.place, e.head, e.content_type "
                             "FROM broker_pending AS p JOIN broker_entry AS e ON e.id = p.entry_id "
                             "LEFT JOIN broker_consumer AS c ON c.group_id = p.group_id AND c.name = p.consumer "
                             "WHERE p.group_id = ? ORDER BY p.entry_id"};
    auto pending = select_pending.query(group_->id);
    while (pending.next()) {
        const auto id = pending.integer(0);
        const bool ours = pending.view(2) == seat_ && !pending.null(2);
        bool held_alive = !pending.null(2) && !pending.null(3) && pending.integer(3) > now.micros();
        if (held_alive && pending.view(7) == member_.consumer) {
            const incarnation theirs{.id = pending.text(8), .place = pending.text(9)};
            held_alive = kinship_of(member_, member_.consumer, theirs) != kinship::predecessor;
        }
        auto by = held_alive ? holder::somebody_else : holder::nobody;
        if (ours) by = held_.contains(id) ? holder::reader : holder::nobody;

        const auto step = decide.pending(pending.view(1), by, pending.bytes(6).size());
        if (step == hand_out_step::stop) return;
        if (step != hand_out_step::take) continue;
        candidate found{.id = id,
                        .key = pending.view(1),
                        .body = pending.bytes(6),
                        .head = pending.view(10),
                        .content_type = pending.view(11),
                        .attempts = static_cast<int>(pending.integer(4))};
        if (!pending.null(5)) found.not_before = date_time::from_micros(pending.integer(5));
        take(found, false);
    }

    statement select_fresh{
        db,
        "SELECT id, key, body, head, content_type FROM broker_entry WHERE stream_id = ?1 AND replayed = 0 "
        "AND id > (SELECT cursor FROM broker_group WHERE id = ?2) ORDER BY id"};
    auto fresh = select_fresh.query(group_->stream_id, group_->id);
    while (fresh.next()) {
        const auto step = decide.fresh(fresh.view(1), fresh.bytes(2).size());
        if (step == hand_out_step::stop) return;
        if (step == hand_out_step::park) park(fresh.integer(0), fresh.view(1));
        if (step != hand_out_step::take) continue;
        take(candidate{.id = fresh.integer(0),
                       .key = fresh.view(1),
                       .body = fresh.bytes(2),
                       .head = fresh.view(3),
                       .content_type = fresh.view(4)},
             true);
    }
}

bool sqlite_consumer::something_to_read(connection& db, date_time now) const {
    bool found = false;
    walk(
        db, 1, now, [&](const candidate&, bool) { found = true; }, [](entry_id, std::string_view) {});
    return found;
}

std::vector<delivery> sqlite_consumer::claim(connection& db, std::size_t limit, date_time now) {
    struct pass_over {
        entry_id id;
        std::string key;
    };
    std::vector<delivery> taken;
    std::vector<entry_id> ids;
    std::vector<bool> is_new;
    std::vector<pass_over> passed_over;        // between taken ones; the cursor passes them
    std::vector<pass_over> maybe_passed_over;  // after the last taken one; the cursor stays before them

    transaction writing{db, transaction::kind::write};
    walk(
        db, limit, now,
        [&](const candidate& found, bool fresh) {
            ids.push_back(found.id);
            is_new.push_back(fresh);
            taken.push_back(to_delivery(found));
            std::move(maybe_passed_over.begin(), maybe_passed_over.end(), std::back_inserter(passed_over));
            maybe_passed_over.clear();
        },
        [&](entry_id id, std::string_view key) {
            maybe_passed_over.push_back({id, std::string{key}});
        });
    if (taken.empty()) return {};

    statement add{db, "INSERT INTO broker_pending(group_id, entry_id, key, consumer) VALUES (?, ?, ?, ?)"};
    statement take_over{db, "UPDATE broker_pending SET consumer = ? WHERE group_id = ? AND entry_id = ?"};
    statement pass{db, "INSERT INTO broker_pending(group_id, entry_id, key) VALUES (?, ?, ?)"};
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (is_new[i]) {
            add.run(group_->id, ids[i], taken[i].key, seat_);
        } else {
            take_over.run(seat_, group_->id, ids[i]);
        }
    }
    for (const auto& [id, key] : passed_over) pass.run(group_->id, id, key);
    if (is_new.back()) {
        statement{db, "UPDATE broker_group SET cursor = ? WHERE id = ?"}.run(ids.back(), group_->id);
    }
    stay_alive(db, now);
    look_at_members(db, now);
    writing.commit();

    held_.insert(ids.begin(), ids.end());
    return taken;
}

delivery sqlite_consumer::to_delivery(const candidate& from) const {
    return {.entry = std::to_string(from.id),
            .stream = stream_,
            .body = std::string{from.body},
            .key = std::string{from.key},
            .attempts = from.attempts,
            .not_before = from.not_before,
            .head = store::headers_from_kept_text(from.head),
            .content_type = store::from_kept_text(from.content_type)};
}

bool sqlite_consumer::has_news() {
    return guarded([&](connection& db) { return db.data_version() != seen_version_; });
}

base::wake_reason sqlite_consumer::wait(base::wake_signal& signal, duration timeout,
                                        const std::function<bool()>& other_news) {
    try {
        return guarded([&](connection& db) {
            return watch_->wait(signal, timeout, [&] {
                db.limit_waits_anew();
                return db.data_version() != seen_version_ || other_news();
            });
        });
    } catch (const outage&) {
        return base::wait_any(signal, nullptr, timeout);  // the next read says what is wrong
    }
}

void sqlite_consumer::heartbeat(date_time now) {
    if (held_.empty()) return;
    guarded([&](connection& db) { stay_alive(db, now); });
}

void sqlite_consumer::release() {
    if (!group_) return;
    guarded([&](connection& db) {
        statement{db, "UPDATE broker_consumer SET alive_until = 0 WHERE group_id = ? AND name = ?"}.run(group_->id,
                                                                                                        seat_);
    });
}

void sqlite_consumer::stay_alive(connection& db, date_time now) const {
    statement{db,
              "INSERT INTO broker_consumer(group_id, name, alive_until, consumer, incarnation, place) "
              "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(group_id, name) DO UPDATE SET alive_until = excluded.alive_until"}
        .run(group_->id, seat_, (now + member_.claim).micros(), member_.consumer, member_.process.id,
             member_.process.place);
}

void sqlite_consumer::look_at_members(connection& db, date_time now) {
    if (now < next_look_at_members_ && now + member_.claim > next_look_at_members_) return;
    next_look_at_members_ = now + member_.claim;
    statement{db,
              "DELETE FROM broker_consumer WHERE group_id = ?1 AND alive_until < ?2 AND NOT EXISTS ("
              "  SELECT 1 FROM broker_pending AS p WHERE p.group_id = ?1 AND p.consumer = broker_consumer.name)"}
        .run(group_->id, (now - member_.claim).micros());
    if (told_of_namesake_) return;
    statement namesake{db,
                       "SELECT 1 FROM broker_consumer WHERE group_id = ? AND consumer = ? AND name <> ? "
                       "AND alive_until > ? AND (place = '' OR place <> ?)"};
    if (!namesake.query(group_->id, member_.consumer, seat_, now.micros(), member_.process.place).next()) return;
    told_of_namesake_ = true;
    tell_namesake(member_, stream_);
}

bool sqlite_consumer::give_up(connection& db, entry_id id) const {
    return statement{db, "DELETE FROM broker_pending WHERE group_id = ? AND entry_id = ? AND consumer = ?"}.run(
               group_->id, id, seat_) == 1;
}

void sqlite_consumer::ack(std::span<const std::string> entries) {
    if (entries.empty()) return;
    std::vector<entry_id> ids;
    ids.reserve(entries.size());
    for (const auto& entry : entries) ids.push_back(parse_entry(entry));

    guarded([&](connection& db) {
        transaction writing{db, transaction::kind::write};
        for (const auto id : ids) static_cast<void>(give_up(db, id));
        writing.commit();
    });
    for (const auto id : ids) held_.erase(id);
}

void sqlite_consumer::defer(std::string_view entry, int attempts, date_time not_before) {
    const auto id = parse_entry(entry);
    guarded([&](connection& db) {
        statement{db,
                  "UPDATE broker_pending SET attempts = ?, not_before = ? "
                  "WHERE group_id = ? AND entry_id = ? AND consumer = ?"}
            .run(attempts, not_before.micros(), group_->id, id, seat_);
    });
}

void sqlite_consumer::dead_letter(const delivery& message, const death& why) {
    const auto id = parse_entry(message.entry);
    guarded([&](connection& db) {
        transaction writing{db, transaction::kind::write};
        if (!give_up(db, id)) return;
        statement{db,
                  "INSERT INTO broker_dead_letter(group_id, entry_id, message_id, key, body, created_at, consumer, "
                  "                               reason, code, attempts, failed_at, head, content_type) "
                  "SELECT ?1, id, message_id, key, ?8, created_at, ?3, ?4, ?5, ?6, ?7, head, content_type "
                  "FROM broker_entry WHERE id = ?2"}
            .run(group_->id, id, member_.consumer, why.reason, why.code, why.attempts, why.at.micros(),
                 blob{message.body});
        writing.commit();
    });
    held_.erase(id);
}

}  // namespace sluice::broker::sqlite
