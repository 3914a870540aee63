#include "store/kept_messages.hpp"

#include <algorithm>
#include <utility>

#include "store/kept_text.hpp"
#include "store/sql_limit.hpp"
#include "store/sqlite/kept_removals.hpp"
#include "store/sqlite/sessions.hpp"
#include "store/text_list.hpp"

namespace sluice::store::sqlite {
namespace {

#define SLUICE_KEPT_PLACE "broker = ?1 AND stream = ?2 AND consumer_group = ?3"
#define SLUICE_KEPT_COLUMNS                                                                                \
    "number, broker, stream, consumer_group, entry, key, body, head, content_type, attempts, not_before, " \
    "reason, code, consumer, dead_since"
#define SLUICE_KEPT_DEAD                                                                                       \
    "dead_since IS NOT NULL AND broker = ?1 AND (?2 = '' OR stream = ?2) AND (?3 = '' OR consumer_group = ?3)" \
    " AND (?4 IS NULL OR number = ?4)"

constexpr auto keep_message_sql = R"sql(
INSERT INTO kept_message (broker, stream, consumer_group, entry, key, body, head, content_type, attempts, not_before,
                          reason, code, consumer, dead_since, behind, claimed_by, claimed_until)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, behind,
       CASE WHEN ?14 IS NULL AND NOT behind THEN ?15 END, CASE WHEN ?14 IS NULL AND NOT behind THEN ?16 END
FROM (SELECT ?14 IS NULL AND ?5 IS NOT NULL AND EXISTS (
          SELECT 1 FROM kept_message WHERE )sql" SLUICE_KEPT_PLACE
                                  R"sql( AND key = ?5 AND dead_since IS NULL) AS behind)
WHERE true
ON CONFLICT (broker, stream, consumer_group, entry) DO NOTHING)sql";

constexpr auto kept_take_first_sql = R"sql(
UPDATE kept_message SET claimed_by = ?4, claimed_until = ?6
WHERE number IN (
    SELECT number FROM kept_message
    WHERE )sql" SLUICE_KEPT_PLACE R"sql( AND dead_since IS NULL AND NOT behind
      AND number NOT IN (SELECT value FROM json_each(?7))
      AND (claimed_by IS NULL OR claimed_by = ?4 OR claimed_until <= ?5)
    ORDER BY number LIMIT ?8)
RETURNING )sql" SLUICE_KEPT_COLUMNS;

constexpr auto kept_take_behind_sql = R"sql(
UPDATE kept_message SET claimed_by = ?4, claimed_until = ?6
WHERE number IN (
    SELECT other.number FROM kept_message AS other
    WHERE other.broker = ?1 AND other.stream = ?2 AND other.consumer_group = ?3 AND other.dead_since IS NULL
      AND other.behind AND other.number NOT IN (SELECT value FROM json_each(?7))
      AND other.key IN (SELECT key FROM kept_message
                        WHERE )sql" SLUICE_KEPT_PLACE R"sql( AND dead_since IS NULL AND NOT behind AND claimed_by = ?4
                          AND key IS NOT NULL AND ?5 IS NOT NULL)
    ORDER BY other.number LIMIT ?8)
RETURNING )sql" SLUICE_KEPT_COLUMNS;

constexpr auto kept_promote_all_sql = R"sql(
UPDATE kept_message SET behind = 0
WHERE behind AND number IN (SELECT min(number) FROM kept_message
                            WHERE broker = ?1 AND dead_since IS NULL AND key IS NOT NULL
                            GROUP BY stream, consumer_group, key))sql";

constexpr auto kept_counts_sql = R"sql(
SELECT stream, consumer_group, sum(dead_since IS NULL AND claimed_by IS NULL),
       sum(dead_since IS NULL AND claimed_by IS NOT NULL), sum(dead_since IS NOT NULL)
FROM kept_message WHERE broker = ?1 GROUP BY stream, consumer_group ORDER BY stream, consumer_group)sql";

/// A JSON array for json_each.
std::string number_list(std::span<const sequence> numbers) {
    std::string text = "[";
    for (const sequence each : numbers) text += (text.size() > 1 ? "," : "") + std::to_string(each);
    return text + "]";
}

std::string key_list(std::span<const std::string> keys) {
    std::vector<std::string> texts;
    texts.reserve(keys.size());
    for (const std::string& each : keys) texts.push_back(to_kept_text(each));
    return text_list(texts);
}

kept_message read_kept(const rows& found) {
    return {.number = found.integer(0),
            .at = {.broker = found.text(1), .stream = found.text(2), .group = found.text(3)},
            .entry = from_kept_text(found.view(4)),
            .key = from_kept_text(found.view(5)),
            .body = found.text(6),
            .head = headers_from_kept_text(found.view(7)),
            .content_type = from_kept_text(found.view(8)),
            .attempts = static_cast<int>(found.integer(9)),
            .not_before = found.optional_time(10),
            .reason = found.text(11),
            .code = found.text(12),
            .consumer = found.text(13),
            .dead_since = found.optional_time(14)};
}

std::vector<kept_message> read_all(rows found) {
    std::vector<kept_message> all;
    while (found.next()) all.push_back(read_kept(found));
    return all;
}

class sqlite_kept_message_session final : public kept_message_session {
public:
    explicit sqlite_kept_message_session(std::unique_ptr<connection> db) : db_{std::move(db)} {}

    std::vector<std::string> waiting_keys(const kept_place& at, std::span<const std::string> keys) override {
        std::vector<std::string> waiting;
        auto found = waiting_keys_.query(at.broker, at.stream, at.group, key_list(keys));
        while (found.next()) waiting.push_back(from_kept_text(found.view(0)));
        return waiting;
    }

    std::vector<sequence> keep(std::span<const kept_message> messages, const kept_claim& claim) override {
        transaction writing{*db_, transaction::kind::write};
        std::vector<sequence> numbers;
        for (const kept_message& each : messages) numbers.push_back(keep_one(each, claim));
        writing.commit();
        return numbers;
    }

    std::vector<kept_message> take(const kept_place& at, const kept_page& page, std::span<const sequence> in_hand,
                                   const kept_claim& claim) override {
        const std::string held = number_list(in_hand);
        const std::string now = to_sql(claim.now);
        const std::string until = to_sql(claim.now + claim.ttl);
        if (!something_waits(at)) return {};  // without a write lock
        transaction writing{*db_, transaction::kind::write};
        auto taken = read_all(
            take_first_.query(at.broker, at.stream, at.group, claim.owner, now, until, held, sql_limit(page.limit)));
        for (kept_message& each : read_all(take_behind_.query(at.broker, at.stream, at.group, claim.owner, now, until,
                                                              held, sql_limit(std::min(page.limit, page.behind))))) {
            taken.push_back(std::move(each));
        }
        writing.commit();
        std::ranges::sort(taken, {}, &kept_message::number);
        if (taken.size() > page.limit) taken.resize(page.limit);  // the rest stays claimed for the next call
        return taken;
    }

    void defer(sequence number, std::string_view owner, int attempts, date_time not_before) override {
        defer_.run(number, owner, attempts, to_sql(not_before));
    }

    void bury(const kept_name& name, std::string_view owner, const kept_message& failed) override {
        transaction writing{*db_, transaction::kind::write};
        bury_.run(name.number, owner, failed.attempts, failed.reason, failed.code, failed.consumer,
                  to_sql(failed.dead_since));
        removals_.promote(failed.at, {&name, 1});
        writing.commit();
    }

    void remove(const kept_place& at, std::string_view owner, std::span<const kept_name> names) override {
        transaction writing{*db_, transaction::kind::write};
        removals_.remove(at, owner, names);
        writing.commit();
    }

    void renew(std::string_view broker, std::string_view group, const kept_claim& claim) override {
        renew_.run(broker, group, claim.owner, to_sql(claim.now + claim.ttl));
    }

    void release(std::string_view broker, std::string_view group, std::string_view owner) override {
        release_.run(broker, group, owner);
    }

    std::vector<kept_message> dead(const kept_filter& filter) override {
        return read_all(
            dead_.query(filter.broker, filter.stream, filter.group, filter.number, sql_limit(filter.limit)));
    }

    std::size_t count_dead(const kept_filter& filter) override {
        auto found = count_.query(filter.broker, filter.stream, filter.group, filter.number);
        return found.next() ? static_cast<std::size_t>(found.integer(0)) : 0;
    }

    std::size_t replay(const kept_filter& filter) override {
        transaction writing{*db_, transaction::kind::write};
        std::vector<sequence> numbers;
        {
            auto found =
                oldest_dead_.query(filter.broker, filter.stream, filter.group, filter.number, sql_limit(filter.limit));
            while (found.next()) numbers.push_back(found.integer(0));
        }
        for (const sequence each : numbers) {
            next_number_.run();
            replay_.run(each);
        }
        promote_all_.run(filter.broker);
        writing.commit();
        return numbers.size();
    }

    std::size_t purge(const kept_filter& filter) override {
        return static_cast<std::size_t>(
            purge_.run(filter.broker, filter.stream, filter.group, filter.number, sql_limit(filter.limit)));
    }

    std::vector<kept_counts> counts(std::string_view broker) override {
        std::vector<kept_counts> all;
        auto found = counts_.query(broker);
        while (found.next()) {
            all.push_back({.at = {.broker = std::string{broker}, .stream = found.text(0), .group = found.text(1)},
                           .waiting = found.integer(2),
                           .claimed = found.integer(3),
                           .dead = found.integer(4)});
        }
        return all;
    }

    void rename_group(std::string_view broker, std::string_view from, std::string_view to) override {
        rename_.run(broker, from, to);
    }

    void retire_group(std::string_view broker, std::string_view stream, std::string_view group) override {
        retire_.run(broker, stream, group);
    }

private:
    [[nodiscard]] bool something_waits(const kept_place& at) {
        auto found = something_waits_.query(at.broker, at.stream, at.group);
        return found.next();
    }

    [[nodiscard]] sequence keep_one(const kept_message& message, const kept_claim& claim) {
        const auto& [broker, stream, group] = message.at;
        const std::string entry = to_kept_text(message.entry);
        const std::string key = to_kept_text(message.key);
        keep_.run(broker, stream, group, entry, or_null(key), message.body, to_kept_text(message.head),
                  to_kept_text(message.content_type), message.attempts, to_sql(message.not_before), message.reason,
                  message.code, message.consumer, to_sql(message.dead_since), claim.owner,
                  to_sql(claim.now + claim.ttl));
        auto found = number_.query(broker, stream, group, entry);
        return found.next() ? found.integer(0) : 0;
    }

    std::unique_ptr<connection> db_;
    statement waiting_keys_{*db_, "SELECT DISTINCT key FROM kept_message WHERE " SLUICE_KEPT_PLACE
                                  " AND dead_since IS NULL AND key IN (SELECT value FROM json_each(?4))"};
    statement something_waits_{
        *db_, "SELECT 1 FROM kept_message WHERE " SLUICE_KEPT_PLACE " AND dead_since IS NULL AND NOT behind LIMIT 1"};
    statement keep_{*db_, keep_message_sql};
    statement number_{*db_, "SELECT number FROM kept_message WHERE " SLUICE_KEPT_PLACE " AND entry = ?4"};
    statement take_first_{*db_, kept_take_first_sql};
    statement take_behind_{*db_, kept_take_behind_sql};
    statement defer_{*db_,
                     "UPDATE kept_message SET attempts = ?3, not_before = ?4 WHERE number = ?1 AND claimed_by = ?2"};
    statement bury_{*db_,
                    "UPDATE kept_message SET attempts = ?3, not_before = NULL, reason = ?4, code = ?5, consumer = ?6,"
                    " dead_since = ?7, behind = 0, claimed_by = NULL, claimed_until = NULL"
                    " WHERE number = ?1 AND claimed_by = ?2"};
    kept_removals removals_{*db_};
    statement promote_all_{*db_, kept_promote_all_sql};
    statement renew_{*db_,
                     "UPDATE kept_message SET claimed_until = ?4"
                     " WHERE broker = ?1 AND consumer_group = ?2 AND claimed_by = ?3"};
    statement release_{*db_,
                       "UPDATE kept_message SET claimed_by = NULL, claimed_until = NULL"
                       " WHERE broker = ?1 AND consumer_group = ?2 AND claimed_by = ?3"};
    statement dead_{*db_, "SELECT " SLUICE_KEPT_COLUMNS " FROM kept_message WHERE " SLUICE_KEPT_DEAD
                          " ORDER BY number DESC LIMIT ?5"};
    statement oldest_dead_{*db_, "SELECT number FROM kept_message WHERE " SLUICE_KEPT_DEAD " ORDER BY number LIMIT ?5"};
    statement count_{*db_, "SELECT count(*) FROM kept_message WHERE " SLUICE_KEPT_DEAD};
    // A new number, so that the message comes behind all that waits for its key meanwhile.
    statement next_number_{*db_, "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'kept_message'"};
    statement replay_{*db_,
                      "UPDATE kept_message SET number = (SELECT seq FROM sqlite_sequence WHERE name = 'kept_message'),"
                      " attempts = 0, dead_since = NULL, behind = key IS NOT NULL WHERE number = ?1"};
    statement purge_{*db_,
                     "DELETE FROM kept_message WHERE number IN (SELECT number FROM kept_message WHERE " SLUICE_KEPT_DEAD
                     " ORDER BY number LIMIT ?5)"};
    statement counts_{*db_, kept_counts_sql};
    statement rename_{*db_, "UPDATE kept_message SET consumer_group = ?3 WHERE broker = ?1 AND consumer_group = ?2"};
    statement retire_{
        *db_, "DELETE FROM kept_message WHERE broker = ?1 AND (?2 = '' OR stream = ?2) AND consumer_group = ?3"};
};

}  // namespace

std::unique_ptr<kept_message_session> make_kept_message_session(std::unique_ptr<connection> db) {
    return std::make_unique<sqlite_kept_message_session>(std::move(db));
}

}  // namespace sluice::store::sqlite
