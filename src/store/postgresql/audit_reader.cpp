#include "store/postgresql/audit_reader.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/postgresql/exchange.hpp"
#include "store/postgresql/ledger_sql.hpp"
#include "store/postgresql/migrations.hpp"
#include "store/postgresql/record_reader.hpp"

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

// The records that may list numbers of the range, part by part.
constexpr auto whole_records_sql = "SELECT " SLUICE_RECORD_COLUMNS R"sql(
FROM @outbox_broker AS b CROSS JOIN LATERAL unnest(b.parts) AS p (part)
CROSS JOIN LATERAL (SELECT * FROM @outbox_ledger AS l WHERE l.broker = b.number AND l.part = p.part AND l.upto > $2
                    AND l.upto <= coalesce((SELECT last.upto FROM @outbox_ledger AS last WHERE last.broker = b.number
                                            AND last.part = p.part AND last.upto >= $3 ORDER BY last.upto LIMIT 1),
                                           9223372036854775807) OFFSET 0) AS r
WHERE b.name = $1)sql";

constexpr auto published_rows_sql =
    "SELECT seq, published_at, receipt FROM @outbox_row WHERE target_broker = $1 AND seq > $2 AND seq <= $3 "
    "AND status = 'published'";

constexpr auto events_sql =
    "SELECT seq, stream_category, type, priority FROM @event_log WHERE seq > $1 AND seq <= $2 ORDER BY seq";

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

std::vector<confirmation> read_confirmations(connection& db, const std::string& schema, std::string_view broker,
                                             sequence after, sequence upto) {
    const auto sql = [&](std::string_view text) { return statement{"", in_schema(text, schema)}; };
    exchange trip{db};
    trip.begin_snapshot();
    const auto records_place = trip.add(sql(whole_records_sql), parameters{broker, after, upto});
    const auto rows_place = trip.add(sql(published_rows_sql), parameters{broker, after, upto});
    const auto events_place = trip.add(sql(events_sql), parameters{after, upto});
    trip.run();

    std::vector<settlement> settled;
    for (int row = 0; row < trip[records_place].rows(); ++row) {
        std::ranges::move(settlements_in(read_record(trip[records_place], row)), std::back_inserter(settled));
    }
    const auto& rows = trip[rows_place];
    for (int row = 0; row < rows.rows(); ++row) {
        settled.push_back(
            {.seq = rows.integer(row, 0), .published_at = rows.optional_time(row, 1), .receipt = rows.text(row, 2)});
    }
    const auto& events = trip[events_place];
    std::vector<confirmation> all;
    all.reserve(static_cast<std::size_t>(events.rows()));
    for (int row = 0; row < events.rows(); ++row) {
        all.push_back({.seq = events.integer(row, 0),
                       .stream_category = events.text(row, 1),
                       .type = events.text(row, 2),
                       .priority = static_cast<int>(events.integer(row, 3))});
    }
    return confirmations_of(std::move(all), std::move(settled));
}

}  // namespace sluice::store::postgresql
