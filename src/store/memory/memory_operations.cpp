#include <algorithm>
#include <cctype>
#include <set>
#include <tuple>
#include <utility>

#include <sluice/json.hpp>

#include "store/bare_type.hpp"
#include "store/discard_record.hpp"
#include "store/lane_name.hpp"
#include "store/memory/sessions.hpp"

namespace sluice::store::memory {
namespace {

bool matches_type(const std::string& wanted, const std::string& type) {
    return wanted.empty() || wanted == type ||
           (is_bare_type(wanted) && type.find("." + wanted + ".v") != std::string::npos);
}

/// Whatever the case of the letters of ASCII.
bool contains(const std::string& text, const std::string& part) {
    const auto same = [](unsigned char one, unsigned char other) { return std::tolower(one) == std::tolower(other); };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

bool matches(const outbox_filter& filter, std::string_view broker, const memory_row& row, const logged_event& event) {
    return (filter.target_broker.empty() || filter.target_broker == broker) &&
           (!filter.status || *filter.status == row.status) &&
           (filter.stream.empty() || filter.stream == event.stream || filter.stream == event.stream_category) &&
           (filter.message_id.empty() || filter.message_id == event.message_id) &&
           matches_type(filter.type, event.type) && (filter.error.empty() || contains(row.last_error, filter.error)) &&
           (!filter.created_before || event.created_at < *filter.created_before);
}

bool is_between(const outbox_filter& filter, sequence seq) {
    return seq > filter.after && (!filter.upto || seq <= *filter.upto);
}

std::string correlation_of(const logged_event& event) {
    const auto metadata = json::parse(event.metadata);
    const auto* const domain = metadata.find("domain");
    const auto* const id = domain == nullptr ? nullptr : domain->find("correlation_id");
    return id != nullptr && id->is_string() ? id->as_string() : std::string{};
}

bool matches(const event_filter& filter, sequence seq, const logged_event& event) {
    const auto& categories = filter.stream_categories;
    return seq > filter.after && (!filter.upto || seq <= *filter.upto) &&
           (filter.stream.empty() || filter.stream == event.stream || filter.stream == event.stream_category) &&
           (categories.empty() || std::ranges::find(categories, event.stream_category) != categories.end()) &&
           matches_type(filter.type, event.type) &&
           (!filter.created_from || event.created_at >= *filter.created_from) &&
           (!filter.created_before || event.created_at < *filter.created_before) &&
           (filter.correlation_id.empty() || filter.correlation_id == correlation_of(event));
}

/// A row with its key.
struct found_row {
    sequence seq = 0;
    const std::string* broker = nullptr;
    memory_row* row = nullptr;
};

class memory_operations_session final : public operations_session {
public:
    explicit memory_operations_session(memory_data& data) : data_{data} {}

    std::map<std::string, outbox_counts> outbox_summary() override;
    std::vector<outbox_row> list(const outbox_filter& filter) override;
    std::optional<logged_event> event(std::string_view message_id) override;
    std::vector<stream_event> events(const event_filter& filter) override;
    std::vector<std::string> streams(std::string_view category, std::string_view after, std::size_t limit) override;
    std::vector<std::string> brokers() override;
    audit_page audit(std::string_view broker, sequence after, sequence upto) override;
    std::vector<confirmation> confirmations(std::string_view broker, sequence after, sequence upto) override;
    std::vector<located_event> locate(const std::vector<std::string>& message_ids) override;
    void note_audit(std::string_view broker, const audit_note& note) override;
    audit_notes noted_audits() override;
    std::vector<lane_status> lanes() override;
    std::size_t retry(const outbox_filter& filter) override;
    std::size_t discard(const outbox_filter& filter, std::string_view reason, date_time now) override;
    void look_again(std::string_view broker, sequence from) override;
    void pause_lanes(std::string_view broker, const lane_pause& pause) override;
    bool resume_lanes(std::string_view broker) override;
    lane_pauses paused_lanes() override;
    std::size_t rename_handler(std::string_view from, std::string_view to) override;
    std::size_t forget_handler(std::string_view name) override;
    std::size_t purge_inbox(date_time before, std::size_t limit) override;
    std::size_t purge_outcomes(date_time before, std::size_t limit) override;

private:
    // The caller of these holds the lock.
    /// All rows that match, by `seq` and broker.
    template <class Accept>
    [[nodiscard]] std::vector<found_row> matching(const outbox_filter& filter, Accept accept);
    void rescan(const std::vector<found_row>& changed);

    memory_data& data_;
};

std::map<std::string, outbox_counts> memory_operations_session::outbox_summary() {
    const std::lock_guard lock{data_.mutex};
    std::map<std::string, outbox_counts> summary;
    for (const auto& [broker, rows] : data_.outbox) {
        for (const auto& [seq, row] : rows) {
            auto& counts = summary[broker];
            ++counts.by_status[row.status];
            if (is_open(row.status) && !counts.oldest_open) counts.oldest_open = data_.event(seq).created_at;
        }
    }
    return summary;
}

template <class Accept>
std::vector<found_row> memory_operations_session::matching(const outbox_filter& filter, Accept accept) {
    std::vector<found_row> found;
    for (auto& [broker, rows] : data_.outbox) {
        for (auto& [seq, row] : rows) {
            if (accept(row.status) && is_between(filter, seq) && matches(filter, broker, row, data_.event(seq)))
                found.push_back({seq, &broker, &row});
        }
    }
    std::ranges::sort(found, {}, [](const found_row& f) { return std::tie(f.seq, *f.broker); });
    return found;
}

std::vector<outbox_row> memory_operations_session::list(const outbox_filter& filter) {
    const std::lock_guard lock{data_.mutex};
    auto found = matching(filter, [](row_status) { return true; });
    if (!filter.oldest_first) std::ranges::stable_sort(found, std::ranges::greater{}, &found_row::seq);
    if (found.size() > filter.limit) found.resize(filter.limit);
    std::vector<outbox_row> listed;
    for (const auto& [seq, broker, row] : found) {
        const auto& logged = data_.event(seq);
        listed.push_back({.seq = seq,
                          .message_id = logged.message_id,
                          .target_broker = *broker,
                          .stream = logged.stream,
                          .status = row->status,
                          .priority = row->priority,
                          .retry_count = row->retry_count,
                          .next_retry_at = row->next_retry_at,
                          .last_error = row->last_error,
                          .published_at = row->published_at,
                          .receipt = row->receipt,
                          .type = logged.type,
                          .created_at = logged.created_at});
    }
    return listed;
}

std::optional<logged_event> memory_operations_session::event(std::string_view message_id) {
    const std::lock_guard lock{data_.mutex};
    const auto found = data_.seq_of_message.find(message_id);
    if (found == data_.seq_of_message.end()) return std::nullopt;
    return data_.event(found->second);
}

std::vector<stream_event> memory_operations_session::events(const event_filter& filter) {
    const std::lock_guard lock{data_.mutex};
    std::vector<stream_event> found;
    for (const auto& [stream, seqs] : data_.streams) {
        for (std::size_t position = 0; position < seqs.size(); ++position) {
            const auto& event = data_.event(seqs[position]);
            if (!matches(filter, seqs[position], event)) continue;
            found.push_back({.seq = seqs[position], .position = static_cast<std::int64_t>(position), .event = event});
        }
    }
    std::ranges::sort(found, {}, &stream_event::seq);
    if (filter.newest_first) std::ranges::reverse(found);
    if (found.size() > filter.limit) found.resize(filter.limit);
    return found;
}

std::vector<std::string> memory_operations_session::streams(std::string_view category, std::string_view after,
                                                            std::size_t limit) {
    const std::lock_guard lock{data_.mutex};
    std::vector<std::string> names;
    for (auto it = data_.streams.upper_bound(after); it != data_.streams.end() && names.size() < limit; ++it) {
        if (data_.event(it->second.front()).stream_category == category) names.push_back(it->first);
    }
    return names;
}

std::vector<std::string> memory_operations_session::brokers() {
    const std::lock_guard lock{data_.mutex};
    std::vector<std::string> names;
    names.reserve(data_.outbox.size());
    for (const auto& [broker, rows] : data_.outbox) names.push_back(broker);
    return names;
}

/// Every event has a row for each of its brokers here.
audit_page memory_operations_session::audit(std::string_view broker, sequence after, sequence upto) {
    const std::lock_guard lock{data_.mutex};
    audit_page page{.end = static_cast<sequence>(data_.event_log.size())};
    std::optional<sequence> lowest;
    for (const auto& [lane, lease] : data_.leases) {
        if (broker_of(lane) == broker) lowest = std::min(lowest.value_or(lease.mark), lease.mark);
    }
    page.mark = lowest.value_or(0);
    const auto rows = data_.outbox.find(broker);
    if (rows == data_.outbox.end()) return page;
    for (auto at = rows->second.upper_bound(after); at != rows->second.end() && at->first <= upto; ++at) {
        page.chosen.push_back(at->first);
        page.rows.push_back({.seq = at->first, .status = at->second.status});
    }
    return page;
}

std::vector<confirmation> memory_operations_session::confirmations(std::string_view broker, sequence after,
                                                                   sequence upto) {
    const std::lock_guard lock{data_.mutex};
    std::vector<confirmation> found;
    const auto rows = data_.outbox.find(broker);
    if (rows == data_.outbox.end()) return found;
    for (auto at = rows->second.upper_bound(after); at != rows->second.end() && at->first <= upto; ++at) {
        const auto& [seq, row] = *at;
        if (row.status != row_status::published) continue;
        const auto& logged = data_.event(seq);
        found.push_back({.seq = seq,
                         .stream_category = logged.stream_category,
                         .type = logged.type,
                         .priority = row.priority,
                         .confirmed_at = row.published_at.value_or(date_time{}),
                         .receipt = row.receipt});
    }
    return found;
}

std::vector<located_event> memory_operations_session::locate(const std::vector<std::string>& message_ids) {
    const std::lock_guard lock{data_.mutex};
    std::vector<located_event> found;
    for (const auto& id : message_ids) {
        const auto known = data_.seq_of_message.find(id);
        if (known == data_.seq_of_message.end()) continue;
        found.push_back({.message_id = id, .seq = known->second, .stream = data_.event(known->second).stream});
    }
    return found;
}

void memory_operations_session::note_audit(std::string_view broker, const audit_note& note) {
    const std::lock_guard lock{data_.mutex};
    data_.audits.insert_or_assign(std::string{broker}, note);
}

audit_notes memory_operations_session::noted_audits() {
    const std::lock_guard lock{data_.mutex};
    return data_.audits;
}

std::vector<lane_status> memory_operations_session::lanes() {
    const std::lock_guard lock{data_.mutex};
    std::vector<lane_status> all;
    for (const auto& [lane, lease] : data_.leases) {
        all.push_back({.lane = lane,
                       .owner = lease.owner,
                       .epoch = lease.epoch,
                       .expires_at = lease.expires_at,
                       .mark = lease.mark,
                       .state = lease.state,
                       .detail = lease.detail,
                       .published = lease.published,
                       .refused = lease.refused,
                       .rate = lease.rate,
                       .since = lease.since});
    }
    return all;
}

std::size_t memory_operations_session::retry(const outbox_filter& filter) {
    const std::lock_guard lock{data_.mutex};
    auto given_up = matching(
        filter, [](row_status status) { return status == row_status::failed || status == row_status::abandoned; });
    if (given_up.size() > filter.limit) given_up.resize(filter.limit);
    for (const auto& [seq, broker, row] : given_up) {
        row->status = row_status::pending;
        row->retry_count = 0;
        row->next_retry_at.reset();
        row->abandoned_at.reset();
    }
    rescan(given_up);
    return given_up.size();
}

std::size_t memory_operations_session::discard(const outbox_filter& filter, std::string_view reason, date_time now) {
    const std::lock_guard lock{data_.mutex};
    auto unpublished = matching(filter, [](row_status status) { return status != row_status::published; });
    if (unpublished.size() > filter.limit) unpublished.resize(filter.limit);
    for (const auto& [seq, broker, row] : unpublished) {
        row->status = row_status::abandoned;
        row->next_retry_at.reset();
        row->last_error = discard_record(reason, now);
        row->abandoned_at = now;
    }
    rescan(unpublished);
    return unpublished.size();
}

void memory_operations_session::rescan(const std::vector<found_row>& changed) {
    std::set<std::string_view> known;
    for (const auto& [seq, broker, row] : changed) {
        if (known.insert(*broker).second) data_.look_again(*broker, seq);
    }
    if (!changed.empty()) data_.tell_lanes();
}

void memory_operations_session::look_again(std::string_view broker, sequence from) {
    const std::lock_guard lock{data_.mutex};
    data_.look_again(broker, from);
    data_.tell_lanes();
}

void memory_operations_session::pause_lanes(std::string_view broker, const lane_pause& pause) {
    const std::lock_guard lock{data_.mutex};
    data_.pauses.insert_or_assign(std::string{broker}, pause);
}

bool memory_operations_session::resume_lanes(std::string_view broker) {
    const std::lock_guard lock{data_.mutex};
    const auto found = data_.pauses.find(broker);
    if (found == data_.pauses.end()) return false;
    data_.pauses.erase(found);
    return true;
}

lane_pauses memory_operations_session::paused_lanes() {
    const std::lock_guard lock{data_.mutex};
    return data_.pauses;
}

std::size_t memory_operations_session::rename_handler(std::string_view from, std::string_view to) {
    const std::lock_guard lock{data_.mutex};
    std::map<inbox_key, date_time> kept;
    std::size_t marks = 0;
    for (const auto& [key, at] : data_.inbox) {
        const auto& [message_id, handler, content] = key;
        // The other's own mark stays.
        if (handler != from) {
            kept.insert_or_assign(key, at);
            continue;
        }
        ++marks;
        kept.try_emplace(inbox_key{message_id, std::string{to}, content}, at);
    }
    data_.inbox = std::move(kept);
    data_.leases.erase("sequential/" + std::string{from});
    for (auto& [name, model] : data_.read_models) {
        if (model.status.reader == from) model.status.reader = to;
    }
    return marks;
}

std::size_t memory_operations_session::forget_handler(std::string_view name) {
    const std::lock_guard lock{data_.mutex};
    data_.leases.erase("sequential/" + std::string{name});
    return std::erase_if(data_.inbox, [&](const auto& each) { return std::get<1>(each.first) == name; });
}

std::size_t memory_operations_session::purge_inbox(date_time before, std::size_t limit) {
    const std::lock_guard lock{data_.mutex};
    std::size_t purged = 0;
    for (auto it = data_.inbox.begin(); it != data_.inbox.end() && purged < limit;) {
        if (it->second < before) {
            it = data_.inbox.erase(it);
            ++purged;
        } else {
            ++it;
        }
    }
    return purged;
}

std::size_t memory_operations_session::purge_outcomes(date_time before, std::size_t limit) {
    const std::lock_guard lock{data_.mutex};
    std::size_t purged = 0;
    for (auto it = data_.outcomes.begin(); it != data_.outcomes.end() && purged < limit;) {
        const bool expired = it->second.expires_at < before;
        it = expired ? data_.outcomes.erase(it) : std::next(it);
        purged += expired ? 1 : 0;
    }
    return purged;
}

}  // namespace

std::unique_ptr<operations_session> make_operations_session(memory_data& data) {
    return std::make_unique<memory_operations_session>(data);
}

}  // namespace sluice::store::memory
