#include <algorithm>
#include <memory>
#include <utility>

#include "store/lane_name.hpp"
#include "store/memory/lane_link.hpp"
#include "store/memory/sessions.hpp"

namespace sluice::store::memory {
namespace {

/// Registers a sleeper's signal with the committers for as long as it sleeps.
class registration {
public:
    registration(memory_data& data, base::wake_signal& signal) : data_{data} {
        const std::lock_guard lock{data_.mutex};
        place_ = data_.sleepers.insert(&signal);
    }
    registration(const registration&) = delete;
    registration& operator=(const registration&) = delete;
    ~registration() {
        const std::lock_guard lock{data_.mutex};
        data_.sleepers.erase(place_);
    }

private:
    memory_data& data_;
    std::multiset<base::wake_signal*>::iterator place_{};
};

bool expired(const memory_row& row, date_time published_before, date_time abandoned_before) {
    if (row.status == row_status::published) return row.published_at && *row.published_at < published_before;
    return row.status == row_status::abandoned && row.abandoned_at && *row.abandoned_at < abandoned_before;
}

class memory_row_source final : public row_source {
public:
    explicit memory_row_source(std::shared_ptr<lane_link> link) : link_{std::move(link)} {}

    due_batch due(const lease_grant& grant, std::string_view target_broker, sequence after,
                  const page_size& limit) override;
    due_batch due_in_stream(const lease_grant& grant, std::string_view target_broker, std::string_view stream,
                            sequence after, sequence upto, const page_size& limit) override;
    settle_outcome settle(const lease_grant& grant, std::string_view target_broker,
                          std::span<const settlement> settlements, sequence mark) override;
    backfill_step give_backfill(const lease_grant& grant, std::string_view target_broker, date_time now,
                                std::size_t most) override;
    wake_reason wait(wake_signal& signal, duration timeout) override;
    std::size_t purge(const lease_grant& grant, std::string_view target_broker, date_time published_before,
                      date_time abandoned_before, std::size_t limit) override;

private:
    // The caller of these holds the lock.
    [[nodiscard]] memory_data::rows_of_broker& rows_of(std::string_view target_broker) {
        return link_->data.outbox[std::string{target_broker}];
    }
    [[nodiscard]] due_row make_due(sequence seq, const memory_row& row) const;
    static void write_outcome(memory_row& row, const settlement& outcome, bool reopened);

    std::shared_ptr<lane_link> link_;
};

due_batch memory_row_source::due(const lease_grant& grant, std::string_view target_broker, sequence after,
                                 const page_size& limit) {
    const std::lock_guard lock{link_->data.mutex};
    link_->seen = link_->data.news;
    const auto* const lease = link_->owned(grant);
    if (lease == nullptr) return {.rows = {}, .owned = false};
    due_batch batch{.rows = {}, .rescan = lease->rescan, .mark = lease->mark};
    const auto part = shard_of(grant.lane);
    if (const auto* const filling = link_->data.open_backfill(target_broker)) {
        batch.backfill = {.position = filling->position,
                          .upto = filling->upto,
                          .is_paused = filling->state == backfill_state::paused};
    }
    const auto& rows = rows_of(target_broker);
    const auto end = batch.backfill ? rows.upper_bound(batch.backfill->position) : rows.end();
    page_meter page{limit};
    for (auto it = rows.upper_bound(after); it != end && batch.rows.size() < limit.rows; ++it) {
        if (is_open(it->second.status) && part.carries(link_->data.event(it->first).stream)) {
            due_row row = make_due(it->first, it->second);
            batch.more = !page.admits(bytes_of(row));
            if (batch.more) break;
            batch.rows.push_back(std::move(row));
        }
        if (!part.is_whole()) batch.upto = it->first;
    }
    return batch;
}

due_batch memory_row_source::due_in_stream(const lease_grant& grant, std::string_view target_broker,
                                           std::string_view stream, sequence after, sequence upto,
                                           const page_size& limit) {
    const std::lock_guard lock{link_->data.mutex};
    const auto* const lease = link_->owned(grant);
    if (lease == nullptr) return {.rows = {}, .owned = false};
    due_batch batch{.rows = {}, .rescan = lease->rescan, .mark = lease->mark};
    const auto events = link_->data.streams.find(stream);
    if (events == link_->data.streams.end()) return batch;
    const auto& rows = rows_of(target_broker);
    page_meter page{limit};
    for (auto seq = std::ranges::upper_bound(events->second, after);
         seq != events->second.end() && *seq <= upto && batch.rows.size() < limit.rows; ++seq) {
        const auto row = rows.find(*seq);
        if (row == rows.end() || !is_open(row->second.status)) continue;
        due_row due = make_due(*seq, row->second);
        batch.more = !page.admits(bytes_of(due));
        if (batch.more) break;
        batch.rows.push_back(std::move(due));
    }
    return batch;
}

settle_outcome memory_row_source::settle(const lease_grant& grant, std::string_view target_broker,
                                         std::span<const settlement> settlements, sequence mark) {
    const std::lock_guard lock{link_->data.mutex};
    auto* const lease = link_->owned(grant);
    if (lease == nullptr) return settle_outcome::fenced;
    const bool reopened = lease->rescan != grant.rescan;
    auto& rows = rows_of(target_broker);
    for (const auto& outcome : settlements) {
        const auto row = rows.find(outcome.seq);
        if (row != rows.end()) write_outcome(row->second, outcome, reopened);
    }
    if (!reopened) lease->mark = std::max(lease->mark, mark);
    return settle_outcome::settled;
}

backfill_step memory_row_source::give_backfill(const lease_grant& grant, std::string_view target_broker, date_time now,
                                               std::size_t most) {
    const std::lock_guard lock{link_->data.mutex};
    if (link_->owned(grant) == nullptr) return {.owned = false};
    auto* const filling = link_->data.open_backfill(target_broker);
    if (filling == nullptr) return {.moved = true};
    const auto pace = pace_of(*filling, now, most);
    auto& rows = rows_of(target_broker);
    const auto open = std::ranges::count_if(rows, [](const auto& each) { return is_open(each.second.status); });
    if (filling->state == backfill_state::paused || pace.events == 0 || open >= most_open_for_backfill) return {};
    std::size_t given = 0;
    while (filling->position < filling->upto && given < pace.events) {
        const auto& event = link_->data.event(++filling->position);
        if (!is_ordered(filling->order, event.type, event.stream, event.stream_category)) continue;
        given += rows.try_emplace(filling->position).second ? 1 : 0;
    }
    filling->given += static_cast<std::int64_t>(given);
    filling->paced_at = pace.paced_at(given);
    if (filling->position == filling->upto) {
        filling->state = backfill_state::done;
        filling->ended_at = now;
    }
    return {.moved = true};
}

wake_reason memory_row_source::wait(wake_signal& signal, duration timeout) {
    const registration registered{link_->data, signal};
    const auto look = [this] {
        const std::lock_guard lock{link_->data.mutex};
        return link_->data.news != link_->seen;
    };
    if (look()) return wake_reason::file_changed;
    const auto woken = base::wait_any(signal, nullptr, timeout);
    // A committer uses the same signal as everybody else.
    return woken == wake_reason::signalled && look() ? wake_reason::file_changed : woken;
}

std::size_t memory_row_source::purge(const lease_grant& grant, std::string_view target_broker,
                                     date_time published_before, date_time abandoned_before, std::size_t limit) {
    const std::lock_guard lock{link_->data.mutex};
    const auto* const lease = link_->owned(grant);
    if (lease == nullptr) return 0;
    const auto part = shard_of(grant.lane);
    auto& rows = rows_of(target_broker);
    std::size_t purged = 0;
    for (auto it = rows.begin(); it != rows.end() && it->first <= lease->mark && purged < limit;) {
        if (expired(it->second, published_before, abandoned_before) &&
            part.carries(link_->data.event(it->first).stream)) {
            it = rows.erase(it);
            ++purged;
        } else {
            ++it;
        }
    }
    return purged;
}

due_row memory_row_source::make_due(sequence seq, const memory_row& row) const {
    return {.seq = seq,
            .status = row.status,
            .priority = row.priority,
            .retry_count = row.retry_count,
            .next_retry_at = row.next_retry_at,
            .last_error = row.last_error,
            .event = link_->data.event(seq)};
}

void memory_row_source::write_outcome(memory_row& row, const settlement& outcome, bool reopened) {
    if (row.status == row_status::published) return;
    const bool budget_was_renewed =
        reopened && (row.status == row_status::pending || row.retry_count < outcome.retry_count - 1);
    if (outcome.status != row_status::published && (row.status == row_status::abandoned || budget_was_renewed)) return;
    row.status = outcome.status;
    row.retry_count = outcome.retry_count;
    row.next_retry_at = outcome.next_retry_at;
    row.last_error = outcome.last_error;
    row.published_at = outcome.published_at;
    row.abandoned_at = outcome.abandoned_at;
    row.receipt = outcome.receipt;
}

}  // namespace

std::unique_ptr<row_source> make_row_source(std::shared_ptr<lane_link> link) {
    return std::make_unique<memory_row_source>(std::move(link));
}

}  // namespace sluice::store::memory
