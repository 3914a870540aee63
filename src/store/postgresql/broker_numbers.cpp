#include "store/postgresql/broker_numbers.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/failure.hpp"
#include "store/postgresql/migrations.hpp"

namespace sluice::store::postgresql {
namespace {

// No event of before has it among its targets.
constexpr auto add_sql = R"sql(
INSERT INTO @outbox_broker (number, name, floor)
SELECT coalesce((SELECT max(number) FROM @outbox_broker), -1) + 1, $1, coalesce((SELECT max(seq) FROM @event_log), 0)
WHERE NOT EXISTS (SELECT FROM @outbox_broker WHERE name = $1))sql";

void run(exchange& trip, const connection& db) {
    try {
        trip.run();
    } catch (const statement_error& refusal) {
        if (const auto why = no_number_left(refusal, db.server_name()); !why.empty()) throw store_error{why};
        throw;
    }
}

}  // namespace

broker_statements::broker_statements(const std::string& schema)
    : lock{"", in_schema("SELECT pg_advisory_xact_lock('@outbox_broker'::regclass::oid::integer, 0) WHERE EXISTS"
                         " (SELECT FROM unnest($1::text[]) AS n (name)"
                         " WHERE NOT EXISTS (SELECT FROM @outbox_broker AS b WHERE b.name = n.name))",
                         schema)},
      add{"", in_schema(add_sql, schema)},
      add_part{
          "",
          in_schema("UPDATE @outbox_broker SET parts = array_append(parts, $2) WHERE name = $1 AND $2 <> ALL (parts)",
                    schema)} {}

void number_brokers(connection& db, const std::string& schema, std::span<const std::string> names) {
    const broker_statements sql{schema};
    exchange trip{db};
    trip.add(sql.lock, parameters{array_of(names)});
    for (const auto& name : names) trip.add(sql.add, parameters{name});
    run(trip, db);
}

void numbered_brokers::require(connection& db, const std::string& schema, std::span<const std::string> names) {
    std::vector<std::string> unseen;
    {
        const std::lock_guard lock{mutex_};
        std::ranges::copy_if(names, std::back_inserter(unseen),
                             [this](const std::string& name) { return !seen_.contains(name); });
    }
    if (unseen.empty()) return;
    number_brokers(db, schema, unseen);  // may wait for somebody else's transaction: nobody waits for us meanwhile
    const std::lock_guard lock{mutex_};
    seen_.insert(unseen.begin(), unseen.end());
}

void add_ledger_part(connection& db, const std::string& schema, std::string_view broker, int part) {
    const broker_statements sql{schema};
    array<std::string_view> one;
    one.push(broker);
    exchange trip{db};
    trip.add(sql.lock, parameters{one});
    trip.add(sql.add, parameters{broker});
    trip.add(sql.add_part, parameters{broker, std::int32_t{part}});
    run(trip, db);
}

std::string no_number_left(const statement_error& refusal, std::string_view server) {
    if (refusal.constraint() != "broker_numbers") return {};
    return fmt::format(
        "{}: an event knows its brokers by numbers from 0 to 62, and all of them are in use by brokers that events of "
        "this database have gone to (SELECT number, name FROM outbox_broker); nothing was written; use one of the "
        "former names again, or another database",
        server);
}

}  // namespace sluice::store::postgresql
