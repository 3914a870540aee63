#include "store/postgresql/audit_reader.hpp"

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/ledger_sql.hpp"
#include "store/postgresql/migrations.hpp"

namespace sluice::store::postgresql {
namespace {

// $1 is the broker in all of them.
constexpr auto state_sql = R"sql(
SELECT coalesce((SELECT max(seq) FROM @event_log), 0), coalesce((SELECT min(mark) FROM @lease WHERE broker = $1), 0),
       coalesce()sql" SLUICE_FLOOR("$1") ", 0)";

// An event of a build that wrote a row for each broker does not know its brokers: it is meant for those.
constexpr auto chosen_sql = "SELECT e.seq FROM @event_log AS e WHERE e.seq > $2 AND e.seq <= $3 AND (e.targets & "
                            "coalesce(" SLUICE_BIT("$1") ", 0) <> 0 OR EXISTS (SELECT FROM @outbox_row AS o "
                            "WHERE o.target_broker = $1 AND o.seq = e.seq)) ORDER BY e.seq";

constexpr auto listed_sql = "SELECT seq FROM (" SLUICE_LISTED("$1", "$2", "$3") ") AS listed (seq) "
                            "WHERE seq > $2 AND seq <= $3 ORDER BY seq";

constexpr auto rows_sql =
    "SELECT seq, status FROM @outbox_row WHERE target_broker = $1 AND seq > $2 AND seq <= $3 ORDER BY seq";

std::vector<sequence> numbers_of(const result& found) {
    std::vector<sequence> numbers;
    numbers.reserve(static_cast<std::size_t>(found.rows()));
    for (int row = 0; row < found.rows(); ++row) numbers.push_back(found.integer(row, 0));
    return numbers;
}

}  // namespace

audit_page read_audit_page(connection& db, const std::string& schema, std::string_view broker, sequence after,
                           sequence upto) {
    const auto sql = [&](std::string_view text) { return statement{"", in_schema(text, schema)}; };
    exchange trip{db};
    trip.begin_snapshot();
    const auto state_place = trip.add(sql(state_sql), parameters{broker});
    const auto chosen_place = trip.add(sql(chosen_sql), parameters{broker, after, upto});
    const auto listed_place = trip.add(sql(listed_sql), parameters{broker, after, upto});
    const auto rows_place = trip.add(sql(rows_sql), parameters{broker, after, upto});
    trip.run();

    const auto& state = trip[state_place];
    audit_page page{.end = state.integer(0, 0), .mark = state.integer(0, 1), .floor = state.integer(0, 2)};
    page.chosen = numbers_of(trip[chosen_place]);
    page.listed = numbers_of(trip[listed_place]);
    const auto& rows = trip[rows_place];
    for (int row = 0; row < rows.rows(); ++row) {
        page.rows.push_back({.seq = rows.integer(row, 0), .status = row_status_from(rows.view(row, 1))});
    }
    return page;
}

}  // namespace sluice::store::postgresql
