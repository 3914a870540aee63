#include "store/row_source.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/lane_name.hpp"
#include "store/ledger.hpp"
#include "store/sqlite/backfill_table.hpp"
#include "store/sqlite/broker_table.hpp"
#include "store/sqlite/lane_link.hpp"
#include "store/sqlite/lane_sql.hpp"
#include "store/sqlite/ledger_clean_up.hpp"
#include "store/sqlite/ledger_reader.hpp"
#include "store/sqlite/sessions.hpp"
#include "store/sqlite/settlement_writer.hpp"

namespace sluice::store::sqlite {
namespace {

/// Most events that one look passes: the lane goes on in the next, so that it renews its lease in between.
constexpr std::size_t most_walked = 20'000;

/// A lane that sends its rows one by one writes as many records; so often they are made fewer.
constexpr int settlements_between_merges = 1000;

class sqlite_row_source final : public row_source {
public:
    explicit sqlite_row_source(std::shared_ptr<lane_link> link) : link_{std::move(link)} {}

    due_batch due(const lease_grant& grant, std::string_view target_broker, sequence after,
                  const page_size& limit) override;
    due_batch due_in_stream(const lease_grant& grant, std::string_view target_broker, std::string_view stream,
                            sequence after, sequence upto, const page_size& limit) override;

    settle_outcome settle(const lease_grant& grant, std::string_view target_broker,
                          std::span<const settlement> settlements, sequence mark) override;

    backfill_step give_backfill(const lease_grant& grant, std::string_view target_broker, date_time now,
                                std::size_t most) override;

    wake_reason wait(wake_signal& signal, duration timeout) override { return news_.wait(signal, timeout); }

    std::size_t purge(const lease_grant& grant, std::string_view target_broker, date_time published_before,
                      date_time abandoned_before, std::size_t limit) override;

private:
    /// Fills what the lease says beside the rows; false when the lease is no longer the grant's.
    [[nodiscard]] bool read_owned(const lease_grant& grant, due_batch& batch);
    /// What the ledger says of the broker's events, for one transaction.
    void look_into_ledger(const shard& carried, std::string_view target_broker);
    /// Whether an event that has no row waits for the lane.
    [[nodiscard]] bool is_pending(const rows& event);
    /// The next page of a backfill becomes rows; its position and count move.
    void give_page(backfill& filling, std::int64_t bit, std::size_t most);
    /// Up to which all lanes of the broker have settled everything.
    [[nodiscard]] sequence lowest_mark(std::string_view lane);
    void merge(const lease_grant& grant, const numbered_broker& broker, sequence mark);
    /// Rows that may be deleted, ascending.
    [[nodiscard]] std::vector<sequence> expired_rows(const lease_grant& grant, std::string_view target_broker,
                                                     sequence mark, date_time published_before,
                                                     date_time abandoned_before, std::size_t limit);

    std::shared_ptr<lane_link> link_;
    lane_news& news_ = link_->watch_news();
    int unmerged_ = 0;                                          ///< settlements since records were merged
    std::map<std::string, sequence, std::less<>> purged_upto_;  ///< per broker, where the next purge goes on

    broker_table brokers_{link_->db()};
    ledger_reader ledger_{link_->db()};
    settlement_writer settlements_{link_->db()};
    ledger_clean_up clean_up_{link_->db()};
    backfill_table backfills_{link_->db()};
    std::optional<numbered_broker> broker_{};  ///< that the ledger was opened for
    statement raise_mark_{link_->db(), "UPDATE lease SET mark = ?2 WHERE lane = ?1 AND mark < ?2"};
    statement marks_{link_->db(), "SELECT lane, mark FROM lease"};
    statement log_{link_->db(), log_sql};
    statement log_of_stream_{link_->db(), log_of_stream_sql};
    statement rows_{link_->db(), rows_sql};
    statement row_{link_->db(), row_sql};
    statement any_row_{link_->db(), any_row_sql};
    statement open_rows_{link_->db(), count_open_rows_sql};
    statement backfill_page_{link_->db(), backfill_page_sql};
    statement add_row_{link_->db(), backfill_row_sql};
    statement purgeable_{link_->db(), purgeable_sql};
    statement purge_{link_->db(), purge_sql};
};

bool sqlite_row_source::read_owned(const lease_grant& grant, due_batch& batch) {
    const auto lease = link_->owned(grant);
    batch.owned = lease.has_value();
    if (!lease) return false;
    batch.rescan = lease->rescan;
    batch.mark = lease->mark;
    return true;
}

/// An event as `log_sql` reads it.
due_row make_due_row(const rows& found) {
    return {.seq = found.integer(0),
            .priority = static_cast<int>(found.integer(2)),
            .event = {.message_id = found.text(3),
                      .stream = found.text(4),
                      .stream_category = found.text(5),
                      .type = found.text(6),
                      .data = found.text(7),
                      .metadata = found.text(8),
                      .created_at = found.time(9)}};
}

/// @param row  of the same event, as `row_sql` reads it
void take_state(const rows& row, due_row& due) {
    due.status = row_status_from(row.view(1));
    due.retry_count = static_cast<int>(row.integer(2));
    due.next_retry_at = row.optional_time(3);
    due.last_error = row.text(4);
    due.priority = static_cast<int>(row.integer(5));
}

void sqlite_row_source::look_into_ledger(const shard& carried, std::string_view target_broker) {
    broker_ = brokers_.find(target_broker);
    if (broker_) ledger_.open(broker_->number, carried);
}

bool sqlite_row_source::is_pending(const rows& event) {
    if (!broker_ || (event.integer(1) & broker_->bit()) == 0) return false;
    const auto seq = event.integer(0);
    return seq > broker_->floor && !ledger_.lists(seq);
}

/// Walks the log and the broker's rows side by side.
due_batch sqlite_row_source::due(const lease_grant& grant, std::string_view target_broker, sequence after,
                                 const page_size& limit) {
    due_batch batch;
    const transaction snapshot{link_->db(), transaction::kind::read};
    link_->seen();
    if (!read_owned(grant, batch)) return batch;
    const auto part = shard_of(grant.lane);
    look_into_ledger(part, target_broker);
    batch.backfill = backfills_.place(target_broker);
    page_meter page{limit};
    std::size_t walked = 0;
    auto row = rows_.query(target_broker, after);
    bool is_row = row.next();
    for (auto event = log_.query(after, most_walked); batch.rows.size() < limit.rows && event.next(); ++walked) {
        const auto seq = event.integer(0);
        if (batch.backfill && seq > batch.backfill->position) break;
        while (is_row && row.integer(0) < seq) is_row = row.next();
        const bool has_row = is_row && row.integer(0) == seq;
        const bool is_due = has_row ? is_open(row_status_from(row.view(1))) : is_pending(event);
        if (is_due && part.carries(event.view(4))) {
            auto due = make_due_row(event);
            if (has_row) take_state(row, due);
            if (!page.admits(bytes_of(due))) {
                batch.more = true;
                break;
            }
            batch.rows.push_back(std::move(due));
        }
        batch.upto = seq;
    }
    batch.more = batch.more || walked == most_walked;
    return batch;
}

due_batch sqlite_row_source::due_in_stream(const lease_grant& grant, std::string_view target_broker,
                                           std::string_view stream, sequence after, sequence upto,
                                           const page_size& limit) {
    due_batch batch;
    const transaction snapshot{link_->db(), transaction::kind::read};
    if (!read_owned(grant, batch)) return batch;
    look_into_ledger(shard_of(grant.lane), target_broker);
    page_meter page{limit};
    auto event = log_of_stream_.query(stream, after, upto);
    while (batch.rows.size() < limit.rows && event.next()) {
        auto row = row_.query(target_broker, event.integer(0));
        const bool has_row = row.next();
        if (has_row ? !is_open(row_status_from(row.view(1))) : !is_pending(event)) continue;
        auto due = make_due_row(event);
        if (has_row) take_state(row, due);
        batch.more = !page.admits(bytes_of(due));
        if (batch.more) break;
        batch.rows.push_back(std::move(due));
    }
    return batch;
}

settle_outcome sqlite_row_source::settle(const lease_grant& grant, std::string_view target_broker,
                                         std::span<const settlement> settlements, sequence mark) {
    transaction writing{link_->db(), transaction::kind::write};
    const auto lease = link_->owned(grant);
    if (!lease) return settle_outcome::fenced;

    const bool reopened = lease->rescan != grant.rescan;
    settlements_.write(grant, target_broker, settlements, reopened);
    if (!reopened && mark > lease->mark) raise_mark_.run(grant.lane, mark);
    if (!settlements.empty() && ++unmerged_ >= settlements_between_merges) {
        if (const auto broker = brokers_.find(target_broker)) merge(grant, *broker, lowest_mark(grant.lane));
    }
    writing.commit();
    return settle_outcome::settled;
}

void sqlite_row_source::merge(const lease_grant& grant, const numbered_broker& broker, sequence mark) {
    clean_up_.merge(broker.number, ledger_part(shard_of(grant.lane)), mark);
    unmerged_ = 0;
}

sequence sqlite_row_source::lowest_mark(std::string_view lane) {
    auto lowest = std::numeric_limits<sequence>::max();
    for (auto found = marks_.query(); found.next();) {
        if (shares_rows(found.view(0), lane)) lowest = std::min(lowest, found.integer(1));
    }
    return lowest;
}

backfill_step sqlite_row_source::give_backfill(const lease_grant& grant, std::string_view target_broker, date_time now,
                                               std::size_t most) {
    transaction writing{link_->db(), transaction::kind::write};
    if (!link_->owned(grant)) return {.owned = false};
    auto filling = backfills_.open(target_broker);
    const auto broker = brokers_.find(target_broker);
    if (!filling || !broker) return {.moved = true};
    const auto pace = pace_of(*filling, now, most);
    if (filling->state == backfill_state::paused || pace.events == 0) return {};
    auto open = open_rows_.query(target_broker, most_open_for_backfill);
    if (open.next() && open.integer(0) >= most_open_for_backfill) return {};

    const auto given_before = filling->given;
    give_page(*filling, broker->bit(), pace.events);
    filling->paced_at = pace.paced_at(static_cast<std::size_t>(filling->given - given_before));
    if (filling->position == filling->upto) {
        filling->state = backfill_state::done;
        filling->ended_at = now;
    }
    backfills_.update(*filling);
    writing.commit();
    return {.moved = true};
}

void sqlite_row_source::give_page(backfill& filling, std::int64_t bit, std::size_t most) {
    const auto& order = filling.order;
    std::size_t given = 0;
    std::int64_t examined = 0;
    auto event = backfill_page_.query(filling.position, filling.upto, most_examined_for_backfill);
    while (given < most && event.next()) {
        ++examined;
        filling.position = event.integer(0);
        const bool is_wanted = is_ordered(order, event.view(4), event.view(2), event.view(3)) &&
                               (event.integer(1) & bit) == 0 &&
                               !any_row_.query(order.broker, filling.position, filling.position).next();
        if (!is_wanted) continue;
        add_row_.run(order.broker, filling.position, event.view(5), event.view(2), event.integer(6));
        ++given;
    }
    filling.given += static_cast<std::int64_t>(given);
    if (given < most && examined < most_examined_for_backfill) filling.position = filling.upto;
}

std::size_t sqlite_row_source::purge(const lease_grant& grant, std::string_view target_broker,
                                     date_time published_before, date_time abandoned_before, std::size_t limit) {
    transaction writing{link_->db(), transaction::kind::write};
    const auto lease = link_->owned(grant);
    if (!lease) return 0;
    const auto broker = brokers_.find(target_broker);
    const auto mark = lowest_mark(grant.lane);
    std::size_t deleted = 0;
    if (broker) {
        deleted = clean_up_.purge(*broker, mark, published_before, system_clock().now(), limit);
        merge(grant, *broker, mark);
    }
    const auto expired = expired_rows(grant, target_broker, mark, published_before, abandoned_before, limit - deleted);
    for (const auto seq : expired) purge_.run(target_broker, seq);
    // Without its row an event above the floor would be pending again.
    if (broker && !expired.empty()) brokers_.raise_floor(broker->number, expired.back(), 0);
    writing.commit();
    return deleted + expired.size();
}

std::vector<sequence> sqlite_row_source::expired_rows(const lease_grant& grant, std::string_view target_broker,
                                                      sequence mark, date_time published_before,
                                                      date_time abandoned_before, std::size_t limit) {
    constexpr std::size_t least_examined = 500;
    const std::size_t most_examined = std::max(least_examined, 4 * limit);
    if (limit == 0) return {};

    const auto part = shard_of(grant.lane);
    auto& cursor = purged_upto_.try_emplace(std::string{target_broker}, 0).first->second;
    std::vector<sequence> expired;
    std::size_t examined = 0;
    bool more = false;
    {
        // What was written and settled after the later cut has nothing old behind it, so the walk ends there. A time
        // that has not come yet says nothing: such a row is passed.
        const auto later = to_sql(std::max(published_before, abandoned_before));
        const auto now = to_sql(system_clock().now());
        const auto is_young = [&](std::string_view time) { return time >= later && time <= now; };
        auto settled = purgeable_.query(target_broker, cursor, mark, to_sql(published_before), to_sql(abandoned_before),
                                        most_examined);
        while (settled.next() && !(is_young(settled.view(1)) && is_young(settled.view(4))) && expired.size() < limit) {
            cursor = settled.integer(0);
            if (settled.integer(2) != 0 && part.carries(settled.view(3))) expired.push_back(cursor);
            more = ++examined == most_examined || expired.size() == limit;
        }
    }
    if (!more) cursor = 0;
    return expired;
}

}  // namespace

std::unique_ptr<row_source> make_row_source(std::shared_ptr<lane_link> link) {
    return std::make_unique<sqlite_row_source>(std::move(link));
}

}  // namespace sluice::store::sqlite
