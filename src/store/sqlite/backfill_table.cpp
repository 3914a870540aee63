#include "store/sqlite/backfill_table.hpp"

#include "store/text_list.hpp"

namespace sluice::store::sqlite {
namespace {

backfill read_backfill(const rows& found) {
    return {.number = found.integer(0),
            .order = {.broker = found.text(1),
                      .after = found.integer(2),
                      .types = texts_in(found.view(3)),
                      .streams = texts_in(found.view(4)),
                      .rate = found.real(5)},
            .state = backfill_state_from(found.view(6)),
            .position = found.integer(7),
            .upto = found.integer(8),
            .given = found.integer(9),
            .begun_at = found.time(10),
            .paced_at = found.time(11),
            .ended_at = found.optional_time(12)};
}

}  // namespace

std::optional<backfill> backfill_table::open(std::string_view broker) {
    auto found = open_.query(broker);
    if (!found.next()) return std::nullopt;
    return read_backfill(found);
}

std::optional<backfill_place> backfill_table::place(std::string_view broker) {
    auto found = place_.query(broker);
    if (!found.next()) return std::nullopt;
    return backfill_place{.position = found.integer(0), .upto = found.integer(1), .is_paused = found.integer(2) != 0};
}

std::vector<backfill> backfill_table::list(std::string_view broker, std::size_t limit) {
    std::vector<backfill> all;
    for (auto found = list_.query(broker, limit); found.next();) all.push_back(read_backfill(found));
    return all;
}

std::int64_t backfill_table::add(const backfill& one) {
    const auto& order = one.order;
    add_.run(order.broker, order.after, text_list(order.types), text_list(order.streams), order.rate,
             to_string(one.state), one.position, one.upto, to_sql(one.begun_at), to_sql(one.paced_at));
    return open(order.broker)->number;
}

void backfill_table::update(const backfill& one) {
    update_.run(one.number, one.order.rate, to_string(one.state), one.position, one.given, to_sql(one.paced_at),
                to_sql(one.ended_at));
}

}  // namespace sluice::store::sqlite
