#include "store/postgresql/kept_removals.hpp"

#include <cstdint>
#include <vector>

#include "store/kept_text.hpp"
#include "store/postgresql/migrations.hpp"

namespace sluice::store::postgresql {
namespace {

constexpr auto kept_lock_sql = "SELECT " SLUICE_KEPT_LOCK("$1", "$2", "$3");

constexpr auto kept_remove_sql =
    "DELETE FROM @kept_message WHERE " SLUICE_KEPT_PLACE " AND number = ANY ($4::bigint[]) AND claimed_by = $5";

constexpr auto kept_promote_sql = R"sql(
UPDATE @kept_message SET behind = false
WHERE behind AND number IN (SELECT min(number) FROM @kept_message
                            WHERE )sql" SLUICE_KEPT_PLACE " AND key = ANY ($4::text[]) AND " SLUICE_KEPT_WAITING
                                  " GROUP BY key)";

}  // namespace

kept_removals::kept_removals(const std::string& schema)
    : lock_{"sluice_kept_lock", in_schema(kept_lock_sql, schema)},
      remove_{"sluice_kept_remove", in_schema(kept_remove_sql, schema)},
      promote_{"sluice_kept_promote", in_schema(kept_promote_sql, schema)} {}

void kept_removals::lock(exchange& trip, const kept_place& at) const {
    trip.add(lock_, parameters{at.broker, at.stream, at.group});
}

void kept_removals::remove(exchange& trip, const kept_place& at, std::string_view owner,
                           std::span<const kept_name> names) const {
    array<std::int64_t> numbers;
    for (const kept_name& each : names) numbers.push(each.number);
    trip.add(remove_, parameters{at.broker, at.stream, at.group, numbers, owner});
    promote(trip, at, names);
}

void kept_removals::promote(exchange& trip, const kept_place& at, std::span<const kept_name> after) const {
    array<std::string_view> keys;
    std::vector<std::string> texts;
    texts.reserve(after.size());
    for (const kept_name& each : after) keys.push(std::string_view{texts.emplace_back(to_kept_text(each.key))});
    trip.add(promote_, parameters{at.broker, at.stream, at.group, keys});
}

}  // namespace sluice::store::postgresql
