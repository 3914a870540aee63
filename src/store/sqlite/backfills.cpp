#include "store/backfills.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "store/sqlite/backfill_table.hpp"
#include "store/sqlite/broker_table.hpp"
#include "store/sqlite/lane_rescan.hpp"
#include "store/sqlite/lane_sql.hpp"
#include "store/sqlite/sessions.hpp"

namespace sluice::store::sqlite {
namespace {

class sqlite_backfill_session final : public backfill_session {
public:
    explicit sqlite_backfill_session(std::unique_ptr<connection> db) : db_{std::move(db)} {}

    std::vector<backfill> list(std::string_view broker, std::size_t limit) override {
        return table_.list(broker, limit);
    }
    backfill_count count(const backfill_order& order) override;
    backfill begin(const backfill_order& order, date_time now) override;
    std::optional<backfill> change(std::string_view broker, backfill_state to, std::optional<double> rate,
                                   date_time now) override;

private:
    std::unique_ptr<connection> db_;
    backfill_table table_{*db_};
    broker_table brokers_{*db_};
    lane_rescan rescan_{*db_};
    statement end_of_log_{*db_, "SELECT coalesce(max(seq), 0) FROM event_log"};
};

backfill_count sqlite_backfill_session::count(const backfill_order& order) {
    const transaction snapshot{*db_, transaction::kind::read};
    statement log{*db_, backfill_page_sql};
    statement row{*db_, any_row_sql};
    const auto broker = brokers_.find(order.broker);
    backfill_count found;
    constexpr std::int64_t all = -1;
    for (auto event = log.query(order.after, std::numeric_limits<sequence>::max(), all); event.next();) {
        if (!is_ordered(order, event.view(4), event.view(2), event.view(3))) continue;
        const bool is_chosen = broker && (event.integer(1) & broker->bit()) != 0;
        ++(is_chosen || row.query(order.broker, event.integer(0), event.integer(0)).next() ? found.known
                                                                                           : found.events);
    }
    return found;
}

backfill sqlite_backfill_session::begin(const backfill_order& order, date_time now) {
    transaction writing{*db_, transaction::kind::write};
    if (table_.open(order.broker)) throw backfill_under_way(order.broker);
    if (!brokers_.find(order.broker)) static_cast<void>(brokers_.add(order.broker));
    backfill begun{.order = order, .position = order.after, .begun_at = now, .paced_at = now};
    auto end = end_of_log_.query();
    begun.upto = std::max(order.after, end.next() ? end.integer(0) : 0);
    begun.number = table_.add(begun);
    rescan_.begin_at(order.broker, order.after + 1);
    writing.commit();
    return begun;
}

std::optional<backfill> sqlite_backfill_session::change(std::string_view broker, backfill_state to,
                                                        std::optional<double> rate, date_time now) {
    transaction writing{*db_, transaction::kind::write};
    auto open = table_.open(broker);
    if (!open) return std::nullopt;
    open->state = to;
    open->order.rate = rate.value_or(open->order.rate);
    open->paced_at = now;
    if (!holds_back(to)) open->ended_at = now;
    table_.update(*open);
    writing.commit();
    return open;
}

}  // namespace

std::unique_ptr<backfill_session> make_backfill_session(std::unique_ptr<connection> db) {
    return std::make_unique<sqlite_backfill_session>(std::move(db));
}

}  // namespace sluice::store::sqlite
