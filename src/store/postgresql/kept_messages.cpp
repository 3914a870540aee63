#include "store/kept_messages.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "store/kept_text.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/kept_removals.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/server_time.hpp"
#include "store/postgresql/sessions.hpp"
#include "store/sql_limit.hpp"

namespace sluice::store::postgresql {
namespace {

#define SLUICE_KEPT_NOW(now) "coalesce(" now "::timestamptz, clock_timestamp())"
#define SLUICE_KEPT_COLUMNS(ours)                                                                         \
    "number, broker, stream, consumer_group, entry, key, body, head, content_type, attempts, not_before " \
    "- " SLUICE_SHIFT(ours) ", reason, code, consumer, dead_since"

constexpr auto kept_waiting_keys_sql = "SELECT DISTINCT key FROM @kept_message WHERE " SLUICE_KEPT_PLACE
                                       " AND key = ANY ($4::text[]) AND " SLUICE_KEPT_WAITING;

constexpr auto keep_message_sql = R"sql(
INSERT INTO @kept_message (broker, stream, consumer_group, entry, key, body, head, content_type, attempts, not_before,
                           reason, code, consumer, dead_since, behind, claimed_by, claimed_until)
SELECT $1, $2, $3, $4, new.key, $6, $7, $8, $9, $10::timestamptz + new.shift, $11, $12, $13,
       $14::timestamptz + new.shift, new.behind, CASE WHEN new.free THEN $15 END,
       CASE WHEN new.free THEN )sql" SLUICE_KEPT_NOW("$16") R"sql( + $17 * interval '1 microsecond' END
FROM (SELECT key, behind, shift, $14::timestamptz IS NULL AND NOT behind AS free
      FROM (SELECT nullif($5, '') AS key, )sql" SLUICE_SHIFT("$18") R"sql( AS shift,
                   $14::timestamptz IS NULL AND $5 <> '' AND EXISTS (
                       SELECT FROM @kept_message WHERE )sql" SLUICE_KEPT_PLACE " AND key = $5 AND " SLUICE_KEPT_WAITING
                                                                    R"sql() AS behind) AS known) AS new
ON CONFLICT ON CONSTRAINT kept_message_entry DO NOTHING)sql";

constexpr auto kept_number_sql = "SELECT number FROM @kept_message WHERE " SLUICE_KEPT_PLACE " AND entry = $4";

constexpr auto kept_take_first_sql = R"sql(
WITH next AS (
    SELECT number AS first FROM @kept_message
    WHERE )sql" SLUICE_KEPT_PLACE " AND " SLUICE_KEPT_WAITING R"sql( AND NOT behind AND number <> ALL ($7::bigint[])
      AND (claimed_by IS NULL OR claimed_by = $4 OR claimed_until <= )sql" SLUICE_KEPT_NOW("$5") R"sql()
    ORDER BY number LIMIT $8
)
UPDATE @kept_message SET claimed_by = $4, claimed_until = )sql" SLUICE_KEPT_NOW(
    "$5") R"sql( + $6 * interval '1 microsecond'
FROM next WHERE number = next.first
RETURNING )sql" SLUICE_KEPT_COLUMNS("$9");

constexpr auto kept_take_behind_sql = R"sql(
WITH next AS (
    SELECT later.number AS first
    FROM (SELECT key FROM @kept_message
          WHERE )sql" SLUICE_KEPT_PLACE " AND " SLUICE_KEPT_WAITING
                                      R"sql( AND NOT behind AND claimed_by = $4 AND key IS NOT NULL
         ) AS ours
    CROSS JOIN LATERAL (
        SELECT number FROM @kept_message AS other
        WHERE )sql" SLUICE_KEPT_PLACE " AND other.key = ours.key AND " SLUICE_KEPT_WAITING R"sql( AND behind
          AND number <> ALL ($7::bigint[])
        ORDER BY number LIMIT $8
    ) AS later
    ORDER BY later.number LIMIT $8
)
UPDATE @kept_message SET claimed_by = $4, claimed_until = )sql" SLUICE_KEPT_NOW(
                                          "$5") R"sql( + $6 * interval '1 microsecond'
FROM next WHERE number = next.first
RETURNING )sql" SLUICE_KEPT_COLUMNS("$9");

constexpr auto kept_defer_sql = "UPDATE @kept_message SET attempts = $3, not_before = $4::timestamptz + " SLUICE_SHIFT(
    "$5") " WHERE number = $1 AND claimed_by = $2";

constexpr auto kept_bury_sql =
    "UPDATE @kept_message SET attempts = $5, not_before = NULL, reason = $6, code = $7, consumer = $8,"
    " dead_since = $9::timestamptz + " SLUICE_SHIFT(
        "$10") ", behind = false, claimed_by = NULL, claimed_until = NULL"
               " WHERE " SLUICE_KEPT_PLACE " AND number = $4 AND claimed_by = $11";

// Without the lock of the place, while handlers of the same owner commit: in the order in which those lock the rows.
#define SLUICE_KEPT_CLAIMED                       \
    "number IN (SELECT number FROM @kept_message" \
    " WHERE broker = $1 AND consumer_group = $2 AND claimed_by = $3 ORDER BY number FOR UPDATE)"

constexpr auto kept_renew_sql = "UPDATE @kept_message SET claimed_until = " SLUICE_KEPT_NOW(
    "$4") " + $5 * interval '1 microsecond' WHERE " SLUICE_KEPT_CLAIMED;

constexpr auto kept_release_sql =
    "UPDATE @kept_message SET claimed_by = NULL, claimed_until = NULL WHERE " SLUICE_KEPT_CLAIMED;

#define SLUICE_KEPT_DEAD                                                                                       \
    "dead_since IS NOT NULL AND broker = $1 AND ($2 = '' OR stream = $2) AND ($3 = '' OR consumer_group = $3)" \
    " AND ($4::bigint IS NULL OR number = $4)"

constexpr auto kept_dead_sql =
    "SELECT " SLUICE_KEPT_COLUMNS("$6") " FROM @kept_message WHERE " SLUICE_KEPT_DEAD " ORDER BY number DESC LIMIT $5";
constexpr auto kept_count_sql = "SELECT count(*) FROM @kept_message WHERE " SLUICE_KEPT_DEAD;

constexpr auto kept_lock_places_of_dead_sql =
    "SELECT " SLUICE_KEPT_LOCK("$1", "stream", "consumer_group") " FROM (SELECT DISTINCT stream, consumer_group"
    " FROM @kept_message WHERE " SLUICE_KEPT_DEAD " ORDER BY stream, consumer_group) AS places";

// New numbers, so that a message comes behind all that waits for its key meanwhile.
constexpr auto kept_replay_sql = R"sql(
WITH again AS (
    SELECT was, nextval(pg_get_serial_sequence('@kept_message', 'number')) AS becomes
    FROM (SELECT number AS was FROM @kept_message WHERE )sql" SLUICE_KEPT_DEAD
                                 R"sql( ORDER BY number LIMIT $5) AS oldest
)
UPDATE @kept_message SET number = again.becomes, attempts = 0, dead_since = NULL, behind = key IS NOT NULL
FROM again WHERE number = again.was)sql";

constexpr auto kept_promote_all_sql = R"sql(
UPDATE @kept_message SET behind = false
WHERE behind AND number IN (SELECT min(number) FROM @kept_message WHERE broker = $1 AND )sql" SLUICE_KEPT_WAITING
                                      R"sql(
                              AND key IS NOT NULL GROUP BY stream, consumer_group, key))sql";

constexpr auto kept_purge_sql =
    "DELETE FROM @kept_message WHERE number IN (SELECT number FROM @kept_message WHERE " SLUICE_KEPT_DEAD
    " ORDER BY number LIMIT $5)";

constexpr auto kept_counts_sql = R"sql(
SELECT stream, consumer_group, count(*) FILTER (WHERE dead_since IS NULL AND claimed_by IS NULL),
       count(*) FILTER (WHERE dead_since IS NULL AND claimed_by IS NOT NULL), count(*) FILTER (WHERE dead_since IS NOT NULL)
FROM @kept_message WHERE broker = $1 GROUP BY stream, consumer_group ORDER BY stream, consumer_group)sql";

constexpr auto kept_rename_sql =
    "UPDATE @kept_message SET consumer_group = $3 WHERE broker = $1 AND consumer_group = $2";

constexpr auto kept_retire_sql =
    "DELETE FROM @kept_message WHERE broker = $1 AND ($2 = '' OR stream = $2) AND consumer_group = $3";

kept_message read_kept(const result& found, int row) {
    return {.number = found.integer(row, 0),
            .at = {.broker = found.text(row, 1), .stream = found.text(row, 2), .group = found.text(row, 3)},
            .entry = from_kept_text(found.view(row, 4)),
            .key = from_kept_text(found.view(row, 5)),
            .body = found.text(row, 6),
            .head = headers_from_kept_text(found.view(row, 7)),
            .content_type = from_kept_text(found.view(row, 8)),
            .attempts = static_cast<int>(found.integer(row, 9)),
            .not_before = found.optional_time(row, 10),
            .reason = found.text(row, 11),
            .code = found.text(row, 12),
            .consumer = found.text(row, 13),
            .dead_since = found.optional_time(row, 14)};
}

std::vector<kept_message> read_all(const result& found) {
    std::vector<kept_message> all;
    all.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) all.push_back(read_kept(found, row));
    return all;
}

/// Borrows a connection for each call.
class postgresql_kept_message_session final : public kept_message_session {
public:
    explicit postgresql_kept_message_session(shared_state& shared) : shared_{shared} {}

    std::vector<std::string> waiting_keys(const kept_place& at, std::span<const std::string> keys) override;
    std::vector<sequence> keep(std::span<const kept_message> messages, const kept_claim& claim) override;
    std::vector<kept_message> take(const kept_place& at, const kept_page& page, std::span<const sequence> in_hand,
                                   const kept_claim& claim) override;
    void defer(sequence number, std::string_view owner, int attempts, date_time not_before) override;
    void bury(const kept_name& name, std::string_view owner, const kept_message& failed) override;
    void remove(const kept_place& at, std::string_view owner, std::span<const kept_name> names) override;
    void renew(std::string_view broker, std::string_view group, const kept_claim& claim) override;
    void release(std::string_view broker, std::string_view group, std::string_view owner) override;

    std::vector<kept_message> dead(const kept_filter& filter) override;
    std::size_t count_dead(const kept_filter& filter) override;
    std::size_t replay(const kept_filter& filter) override;
    std::size_t purge(const kept_filter& filter) override;
    std::vector<kept_counts> counts(std::string_view broker) override;
    void rename_group(std::string_view broker, std::string_view from, std::string_view to) override;
    void retire_group(std::string_view broker, std::string_view stream, std::string_view group) override;

private:
    [[nodiscard]] statement sql(std::string_view text) const { return {"", in_schema(text, shared_.options.schema)}; }
    [[nodiscard]] result ask(std::string_view text, const parameters& with);
    /// Our time where it is the one that counts; else the server takes its own.
    [[nodiscard]] std::optional<date_time> claim_time(const kept_claim& claim) const;
    [[nodiscard]] static parameters dead_parameters(const kept_filter& filter);

    shared_state& shared_;
    kept_removals removals_{shared_.options.schema};
};

result postgresql_kept_message_session::ask(std::string_view text, const parameters& with) {
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto place = trip.add(sql(text), with);
    trip.run();
    return trip.take(place);
}

std::optional<date_time> postgresql_kept_message_session::claim_time(const kept_claim& claim) const {
    return shared_.options.server_clock ? std::nullopt : std::optional{claim.now};
}

std::vector<std::string> postgresql_kept_message_session::waiting_keys(const kept_place& at,
                                                                       std::span<const std::string> keys) {
    array<std::string_view> asked;
    std::vector<std::string> texts;
    texts.reserve(keys.size());
    for (const std::string& each : keys) asked.push(std::string_view{texts.emplace_back(to_kept_text(each))});
    const auto found = ask(kept_waiting_keys_sql, parameters{at.broker, at.stream, at.group, asked});
    std::vector<std::string> waiting;
    waiting.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) waiting.push_back(from_kept_text(found.view(row, 0)));
    return waiting;
}

std::vector<sequence> postgresql_kept_message_session::keep(std::span<const kept_message> messages,
                                                            const kept_claim& claim) {
    if (messages.empty()) return {};
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    removals_.lock(trip, messages.front().at);
    std::vector<std::size_t> places;
    for (const kept_message& each : messages) {
        parameters with{each.at.broker, each.at.stream, each.at.group, to_kept_text(each.entry),
                        to_kept_text(each.key)};
        with.add_bytes(each.body);
        with.add(to_kept_text(each.head));
        with.add(to_kept_text(each.content_type));
        with.add(std::int32_t{each.attempts});
        with.add(each.not_before);
        with.add(to_kept_text(each.reason));
        with.add(each.code);
        with.add(each.consumer);
        with.add(each.dead_since);
        with.add(claim.owner);
        with.add(claim_time(claim));
        with.add(std::int64_t{claim.ttl.count()});
        with.add(shared_.our_time());
        trip.add(sql(keep_message_sql), with);
        places.push_back(trip.add(sql(kept_number_sql),
                                  parameters{each.at.broker, each.at.stream, each.at.group, to_kept_text(each.entry)}));
    }
    trip.run();
    std::vector<sequence> numbers;
    numbers.reserve(places.size());
    for (const std::size_t place : places) numbers.push_back(trip[place].integer(0, 0));
    return numbers;
}

std::vector<kept_message> postgresql_kept_message_session::take(const kept_place& at, const kept_page& page,
                                                                std::span<const sequence> in_hand,
                                                                const kept_claim& claim) {
    array<std::int64_t> held;
    for (const sequence each : in_hand) held.push(each);
    const auto with = [&](std::size_t limit) {
        return parameters{at.broker,         at.stream, at.group,         claim.owner,       claim_time(claim),
                          claim.ttl.count(), held,      sql_limit(limit), shared_.our_time()};
    };
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    removals_.lock(trip, at);
    const auto first = trip.add(sql(kept_take_first_sql), with(page.limit));
    const auto behind = trip.add(sql(kept_take_behind_sql), with(std::min(page.limit, page.behind)));
    trip.run();
    auto taken = read_all(trip[first]);
    for (kept_message& each : read_all(trip[behind])) taken.push_back(std::move(each));
    std::ranges::sort(taken, {}, &kept_message::number);
    if (taken.size() > page.limit) taken.resize(page.limit);  // the rest stays claimed for the next call
    return taken;
}

void postgresql_kept_message_session::defer(sequence number, std::string_view owner, int attempts,
                                            date_time not_before) {
    static_cast<void>(
        ask(kept_defer_sql, parameters{number, owner, std::int32_t{attempts}, not_before, shared_.our_time()}));
}

void postgresql_kept_message_session::bury(const kept_name& name, std::string_view owner, const kept_message& failed) {
    const auto& at = failed.at;
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    removals_.lock(trip, at);
    trip.add(sql(kept_bury_sql), parameters{at.broker, at.stream, at.group, name.number, std::int32_t{failed.attempts},
                                            to_kept_text(failed.reason), failed.code, failed.consumer,
                                            failed.dead_since, shared_.our_time(), owner});
    removals_.promote(trip, at, {&name, 1});
    trip.run();
}

void postgresql_kept_message_session::remove(const kept_place& at, std::string_view owner,
                                             std::span<const kept_name> names) {
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    removals_.lock(trip, at);
    removals_.remove(trip, at, owner, names);
    trip.run();
}

void postgresql_kept_message_session::renew(std::string_view broker, std::string_view group, const kept_claim& claim) {
    static_cast<void>(
        ask(kept_renew_sql, parameters{broker, group, claim.owner, claim_time(claim), claim.ttl.count()}));
}

void postgresql_kept_message_session::release(std::string_view broker, std::string_view group, std::string_view owner) {
    static_cast<void>(ask(kept_release_sql, parameters{broker, group, owner}));
}

parameters postgresql_kept_message_session::dead_parameters(const kept_filter& filter) {
    return parameters{filter.broker, filter.stream, filter.group, filter.number};
}

std::vector<kept_message> postgresql_kept_message_session::dead(const kept_filter& filter) {
    auto with = dead_parameters(filter);
    with.add(sql_limit(filter.limit));
    with.add(shared_.our_time());
    return read_all(ask(kept_dead_sql, with));
}

std::size_t postgresql_kept_message_session::count_dead(const kept_filter& filter) {
    return static_cast<std::size_t>(ask(kept_count_sql, dead_parameters(filter)).integer(0, 0));
}

std::size_t postgresql_kept_message_session::replay(const kept_filter& filter) {
    auto with = dead_parameters(filter);
    with.add(sql_limit(filter.limit));
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    trip.add(sql(kept_lock_places_of_dead_sql), dead_parameters(filter));
    const auto changed = trip.add(sql(kept_replay_sql), with);
    trip.add(sql(kept_promote_all_sql), parameters{filter.broker});
    trip.run();
    return trip[changed].affected();
}

std::size_t postgresql_kept_message_session::purge(const kept_filter& filter) {
    auto with = dead_parameters(filter);
    with.add(sql_limit(filter.limit));
    return ask(kept_purge_sql, with).affected();
}

std::vector<kept_counts> postgresql_kept_message_session::counts(std::string_view broker) {
    const auto found = ask(kept_counts_sql, parameters{broker});
    std::vector<kept_counts> all;
    all.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) {
        all.push_back({.at = {.broker = std::string{broker}, .stream = found.text(row, 0), .group = found.text(row, 1)},
                       .waiting = found.integer(row, 2),
                       .claimed = found.integer(row, 3),
                       .dead = found.integer(row, 4)});
    }
    return all;
}

void postgresql_kept_message_session::rename_group(std::string_view broker, std::string_view from,
                                                   std::string_view to) {
    static_cast<void>(ask(kept_rename_sql, parameters{broker, from, to}));
}

void postgresql_kept_message_session::retire_group(std::string_view broker, std::string_view stream,
                                                   std::string_view group) {
    static_cast<void>(ask(kept_retire_sql, parameters{broker, stream, group}));
}

}  // namespace

std::unique_ptr<kept_message_session> make_kept_message_session(shared_state& shared) {
    return std::make_unique<postgresql_kept_message_session>(shared);
}

}  // namespace sluice::store::postgresql
