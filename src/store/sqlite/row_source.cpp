#include "store/row_source.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/lane_name.hpp"
#include "store/sqlite/lane_link.hpp"
#include "store/sqlite/lane_sql.hpp"
#include "store/sqlite/sessions.hpp"

namespace sluice::store::sqlite {
namespace {

/// Most rows that one look of a lane in shards passes: it goes on in the next, so that it renews its lease in between.
constexpr std::size_t most_walked = 20'000;

class sqlite_row_source final : public row_source {
public:
    explicit sqlite_row_source(std::shared_ptr<lane_link> link) : link_{std::move(link)} {}

    due_batch due(const lease_grant& grant, std::string_view target_broker, sequence after,
                  const page_size& limit) override;
    due_batch due_in_stream(const lease_grant& grant, std::string_view target_broker, std::string_view stream,
                            sequence after, sequence upto, const page_size& limit) override;

    settle_outcome settle(const lease_grant& grant, std::string_view target_broker,
                          std::span<const settlement> settlements, sequence mark) override;

    wake_reason wait(wake_signal& signal, duration timeout) override { return news_.wait(signal, timeout); }

    std::size_t purge(const lease_grant& grant, std::string_view target_broker, date_time published_before,
                      date_time abandoned_before, std::size_t limit) override;

private:
    /// Fills what the lease says beside the rows; false when the lease is no longer the grant's.
    [[nodiscard]] bool read_owned(const lease_grant& grant, due_batch& batch);
    void walk(const shard& part, std::string_view target_broker, sequence after, const page_size& limit,
              due_batch& batch);
    void write_outcome(std::string_view target_broker, const settlement& outcome, bool reopened);

    std::shared_ptr<lane_link> link_;
    lane_news& news_ = link_->watch_news();
    std::map<std::string, sequence, std::less<>> purged_upto_;  ///< per broker, where the next purge goes on

    statement raise_mark_{link_->db(), "UPDATE lease SET mark = ?2 WHERE lane = ?1 AND mark < ?2"};
    statement due_{link_->db(), due_sql};
    statement walk_{link_->db(), walk_sql};
    statement row_{link_->db(), row_sql};
    statement due_in_stream_{link_->db(), due_in_stream_sql};
    statement settle_{link_->db(), settle_sql};
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

/// Takes rows as long as the page has room. False when it ended before they did.
bool take_due(rows found, page_meter& page, std::vector<due_row>& due) {
    while (found.next()) {
        due_row row{.seq = found.integer(0),
                    .status = row_status_from(found.view(1)),
                    .priority = static_cast<int>(found.integer(2)),
                    .retry_count = static_cast<int>(found.integer(3)),
                    .next_retry_at = found.optional_time(4),
                    .last_error = found.text(5),
                    .event = {.message_id = found.text(6),
                              .stream = found.text(7),
                              .stream_category = found.text(8),
                              .type = found.text(9),
                              .data = found.text(10),
                              .metadata = found.text(11),
                              .created_at = found.time(12)}};
        if (!page.admits(bytes_of(row))) return false;
        due.push_back(std::move(row));
    }
    return true;
}

due_batch sqlite_row_source::due(const lease_grant& grant, std::string_view target_broker, sequence after,
                                 const page_size& limit) {
    due_batch batch;
    const transaction snapshot{link_->db(), transaction::kind::read};
    link_->seen();
    if (!read_owned(grant, batch)) return batch;
    if (const auto part = shard_of(grant.lane); part.is_whole()) {
        page_meter page{limit};
        batch.more = !take_due(due_.query(target_broker, after, limit.rows), page, batch.rows);
    } else {
        walk(part, target_broker, after, limit, batch);
    }
    return batch;
}

void sqlite_row_source::walk(const shard& part, std::string_view target_broker, sequence after, const page_size& limit,
                             due_batch& batch) {
    std::vector<sequence> mine;
    std::size_t walked = 0;
    for (auto row = walk_.query(target_broker, after, most_walked); mine.size() < limit.rows && row.next(); ++walked) {
        batch.upto = row.integer(0);
        if (row.integer(2) != 0 && part.carries(row.view(1))) mine.push_back(batch.upto);
    }
    batch.more = walked == most_walked;
    page_meter page{limit};
    for (const auto seq : mine) {
        if (take_due(row_.query(target_broker, seq), page, batch.rows)) continue;
        batch.more = true;
        batch.upto = seq - 1;
        break;
    }
}

due_batch sqlite_row_source::due_in_stream(const lease_grant& grant, std::string_view target_broker,
                                           std::string_view stream, sequence after, sequence upto,
                                           const page_size& limit) {
    due_batch batch;
    const transaction snapshot{link_->db(), transaction::kind::read};
    if (read_owned(grant, batch)) {
        page_meter page{limit};
        batch.more = !take_due(due_in_stream_.query(target_broker, stream, after, upto, limit.rows), page, batch.rows);
    }
    return batch;
}

settle_outcome sqlite_row_source::settle(const lease_grant& grant, std::string_view target_broker,
                                         std::span<const settlement> settlements, sequence mark) {
    transaction writing{link_->db(), transaction::kind::write};
    const auto lease = link_->owned(grant);
    if (!lease) return settle_outcome::fenced;

    const bool reopened = lease->rescan != grant.rescan;
    for (const auto& outcome : settlements) write_outcome(target_broker, outcome, reopened);
    if (!reopened && mark > lease->mark) raise_mark_.run(grant.lane, mark);
    writing.commit();
    return settle_outcome::settled;
}

void sqlite_row_source::write_outcome(std::string_view target_broker, const settlement& outcome, bool reopened) {
    const int renewed_budget_below = reopened ? outcome.retry_count - 1 : 0;
    settle_.run(target_broker, outcome.seq, to_string(outcome.status), outcome.retry_count,
                to_sql(outcome.next_retry_at), or_null(outcome.last_error), to_sql(outcome.published_at),
                to_sql(outcome.abandoned_at), or_null(outcome.receipt), renewed_budget_below);
}

std::size_t sqlite_row_source::purge(const lease_grant& grant, std::string_view target_broker,
                                     date_time published_before, date_time abandoned_before, std::size_t limit) {
    constexpr std::size_t least_examined = 500;
    const std::size_t most_examined = std::max(least_examined, 4 * limit);

    transaction writing{link_->db(), transaction::kind::write};
    const auto lease = link_->owned(grant);
    if (!lease) return 0;

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
        auto settled = purgeable_.query(target_broker, cursor, lease->mark, to_sql(published_before),
                                        to_sql(abandoned_before), most_examined);
        while (settled.next() && !(is_young(settled.view(1)) && is_young(settled.view(4))) && expired.size() < limit) {
            cursor = settled.integer(0);
            if (settled.integer(2) != 0 && part.carries(settled.view(3))) expired.push_back(cursor);
            more = ++examined == most_examined || expired.size() == limit;
        }
    }
    if (!more) cursor = 0;
    for (const auto seq : expired) purge_.run(target_broker, seq);
    writing.commit();
    return expired.size();
}

}  // namespace

std::unique_ptr<row_source> make_row_source(std::shared_ptr<lane_link> link) {
    return std::make_unique<sqlite_row_source>(std::move(link));
}

}  // namespace sluice::store::sqlite
