#include "store/backfills.hpp"

#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "store/postgresql/backfill_sql.hpp"
#include "store/postgresql/broker_numbers.hpp"
#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/ledger_sql.hpp"
#include "store/postgresql/log_writers_sql.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/outbox_lines.hpp"
#include "store/postgresql/sessions.hpp"

namespace sluice::store::postgresql {
namespace {

#define SLUICE_BACKFILL_COLUMNS                                                                           \
    "number, target_broker, after, types, streams, rate, state, position, upto, given, writers <> '{}', " \
    "begun_at, paced_at, ended_at"

backfill read_backfill(const result& found, int row) {
    const auto types = found.texts(row, 3);
    const auto streams = found.texts(row, 4);
    return {.number = found.integer(row, 0),
            .order = {.broker = found.text(row, 1),
                      .after = found.integer(row, 2),
                      .types = {types.begin(), types.end()},
                      .streams = {streams.begin(), streams.end()},
                      .rate = found.real(row, 5)},
            .state = backfill_state_from(found.view(row, 6)),
            .position = found.integer(row, 7),
            .upto = found.integer(row, 8),
            .given = found.integer(row, 9),
            .waits = found.boolean(row, 10),
            .begun_at = found.time(row, 11),
            .paced_at = found.time(row, 12),
            .ended_at = found.optional_time(row, 13)};
}

constexpr auto list_backfills_sql =
    "SELECT " SLUICE_BACKFILL_COLUMNS
    " FROM @outbox_backfill WHERE $1 IN ('', target_broker) ORDER BY number DESC LIMIT $2";

constexpr auto count_sql = "SELECT count(*) FILTER (WHERE " SLUICE_UNKNOWN_TO(
    "$1") "), count(*) FROM @event_log AS e WHERE e.seq > $2 AND " SLUICE_ORDERED("$3::text[]", "$4::text[]");

// The transactions are asked for after the snapshot was taken: who has drawn a number below the end and is not seen in
// it holds the lock, or has ended and is seen in the next.
constexpr auto begin_backfill_sql = R"sql(
WITH head AS MATERIALIZED (SELECT greatest(coalesce(max(seq), 0), $2) AS seq FROM @event_log)
INSERT INTO @outbox_backfill (target_broker, after, types, streams, rate, state, position, upto, writers, begun_at,
                              paced_at)
SELECT $1, $2, $3, $4, $5, 'running', $2, head.seq,
       coalesce((SELECT array_agg(DISTINCT virtualtransaction) FROM pg_locks AS held
                 WHERE )sql" SLUICE_WRITES_TO_LOG("held") R"sql(), '{}'), $6, $6
FROM head
RETURNING )sql" SLUICE_BACKFILL_COLUMNS;

constexpr auto change_sql = R"sql(
WITH changed AS (
    UPDATE @outbox_backfill AS f SET state = $2, rate = coalesce($3, rate), paced_at = $4,
        ended_at = CASE WHEN $2 = 'cancelled' THEN $4 END
    WHERE )sql" SLUICE_OPEN_BACKFILL("f", "$1") R"sql(
    RETURNING *
)
SELECT )sql" SLUICE_BACKFILL_COLUMNS R"sql(, pg_notify(@sluice_channel(target_broker), 'backfill') FROM changed)sql";

class postgresql_backfill_session final : public backfill_session {
public:
    explicit postgresql_backfill_session(shared_state& shared) : shared_{shared} {}

    std::vector<backfill> list(std::string_view broker, std::size_t limit) override;
    backfill_count count(const backfill_order& order) override;
    backfill begin(const backfill_order& order, date_time now) override;
    std::optional<backfill> change(std::string_view broker, backfill_state to, std::optional<double> rate,
                                   date_time now) override;

private:
    [[nodiscard]] statement sql(std::string_view text) const { return {"", in_schema(text, shared_.options.schema)}; }
    [[nodiscard]] result ask(std::string_view text, const parameters& with) const;

    shared_state& shared_;
};

result postgresql_backfill_session::ask(std::string_view text, const parameters& with) const {
    const auto db = shared_.pool.borrow();
    exchange trip{*db};
    const auto place = trip.add(sql(text), with);
    trip.run();
    return trip.take(place);
}

std::vector<backfill> postgresql_backfill_session::list(std::string_view broker, std::size_t limit) {
    const auto found = ask(list_backfills_sql, parameters{broker, static_cast<std::int64_t>(limit)});
    std::vector<backfill> all;
    all.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) all.push_back(read_backfill(found, row));
    return all;
}

backfill_count postgresql_backfill_session::count(const backfill_order& order) {
    const auto found =
        ask(count_sql, parameters{order.broker, order.after, array_of(order.types), array_of(order.streams)});
    return {.events = found.integer(0, 0), .known = found.integer(0, 1) - found.integer(0, 0)};
}

backfill postgresql_backfill_session::begin(const backfill_order& order, date_time now) {
    const auto db = shared_.pool.borrow();
    number_brokers(*db, shared_.options.schema, std::array{order.broker});
    exchange trip{*db};
    const auto place = trip.add(sql(begin_backfill_sql), parameters{order.broker, order.after, array_of(order.types),
                                                                    array_of(order.streams), order.rate, now});
    outbox_lines{*db, shared_.options.schema}.add_look_again(trip, order.broker, order.after + 1);
    try {
        trip.run();
    } catch (const statement_error& refusal) {
        if (refusal.constraint() == "outbox_backfill_open") throw backfill_under_way(order.broker);
        throw;
    }
    return read_backfill(trip[place], 0);
}

std::optional<backfill> postgresql_backfill_session::change(std::string_view broker, backfill_state to,
                                                            std::optional<double> rate, date_time now) {
    const auto found = ask(change_sql, parameters{broker, to_string(to), rate, now});
    if (found.rows() == 0) return std::nullopt;
    return read_backfill(found, 0);
}

}  // namespace

std::unique_ptr<backfill_session> make_backfill_session(shared_state& shared) {
    return std::make_unique<postgresql_backfill_session>(shared);
}

}  // namespace sluice::store::postgresql
