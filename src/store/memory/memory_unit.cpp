#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "store/inside_refusals.hpp"
#include "store/memory/memory_rows.hpp"
#include "store/memory/sessions.hpp"

namespace sluice::store::memory {
namespace {

/// Applies a batch to the tables, or finds out why it cannot be applied. `check` looks at everything and changes
/// nothing; after it `apply` cannot be refused.
class batch_writer {
public:
    batch_writer(memory_data& data, const commit_batch& batch) : data_{data}, batch_{batch} {}

    void check() {
        // A command that was done before has moved its aggregates on, too: what is repeated is told so first.
        for (const auto& mark : batch_.marks) check(mark);
        for (const auto& outcome : batch_.outcomes) check(outcome);
        for (const auto& change : batch_.states) check(change);
        for (const auto& each : batch_.cancelled) check(each);
        if (batch_.fence) check(*batch_.fence);
        if (batch_.projection) check_guard(data_, *batch_.projection);
        for (const auto& write : batch_.rows) check_row(data_, write);
        for (const auto& write : batch_.events) check(write);
    }

    void apply() {
        for (const auto& change : batch_.states) apply(change);
        for (const auto& write : batch_.events) apply(write);
        for (const auto& mark : batch_.marks) {
            data_.inbox.emplace(inbox_key{mark.message_id, mark.handler, mark.content}, batch_.at);
        }
        for (const auto& snapshot : batch_.snapshots) apply(snapshot);
        for (const auto& outcome : batch_.outcomes) data_.outcomes.insert_or_assign(outcome.key, outcome);
        for (const auto& each : batch_.cancelled) data_.scheduled.erase(each.id);
        for (const auto& each : batch_.scheduled) data_.scheduled.insert_or_assign(each.id, each);
        for (const auto& write : batch_.rows) write_row(data_, write);
        if (batch_.kept) apply(*batch_.kept);
    }

private:
    void check(const state_write& change) {
        const std::pair key{change.aggregate, change.id};
        const auto known = versions_.try_emplace(key, stored_version(key)).first;
        auto& version = known->second;
        if (change.what == state_write::operation::insert) {
            if (version) throw wrong_version(change);
        } else if (version != change.version - 1) {
            throw wrong_version(change);
        }
        version = change.what == state_write::operation::remove ? std::nullopt : std::optional{change.version};
    }

    void check(const event_write& write) {
        const auto& event = write.event;
        auto& position = next_positions_.try_emplace(event.stream, next_position(event.stream)).first->second;
        if (write.expected_position && *write.expected_position != position) {
            throw wrong_position(write, std::to_string(position));
        }
        ++position;
        if (data_.seq_of_message.contains(event.message_id) || !message_ids_.insert(event.message_id).second) {
            throw logged_already(event);
        }
    }

    void check(const inbox_mark& mark) {
        const inbox_key key{mark.message_id, mark.handler, mark.content};
        if (!data_.inbox.contains(key) && marks_.insert(key).second) return;
        throw handled_before(mark);
    }

    void check(const command_outcome& outcome) {
        const auto known = data_.outcomes.find(outcome.key);
        const bool is_free = known == data_.outcomes.end() || known->second.expires_at <= batch_.at;
        if (!is_free || !keys_.insert(outcome.key).second) throw key_in_use(outcome);
    }

    void check(const cancellation& cancelled) const {
        if (!cancelled.due) return;
        const auto known = data_.scheduled.find(cancelled.id);
        if (known != data_.scheduled.end() && known->second.due == *cancelled.due) return;
        throw not_due_any_more(cancelled);
    }

    void check(const lease_fence& fence) const {
        const auto lease = data_.leases.find(fence.lane);
        if (lease != data_.leases.end() && lease->second.epoch == fence.epoch) return;
        throw epoch_is_over(fence);
    }

    void apply(const snapshot_write& write) {
        auto& stored =
            data_.snapshots.try_emplace({write.aggregate, write.id}, stored_snapshot{.version = -1}).first->second;
        if (stored.version > write.version) return;
        stored = {.version = write.version, .layout = write.layout, .state = write.state};
    }

    void apply(const state_write& change) {
        const std::pair key{change.aggregate, change.id};
        if (change.what == state_write::operation::remove) {
            data_.states.erase(key);
        } else {
            data_.states.insert_or_assign(
                key, stored_state{.id = change.id, .version = change.version, .state = change.state});
        }
    }

    void apply(const event_write& write) {
        data_.event_log.push_back(write.event);
        const auto seq = static_cast<sequence>(data_.event_log.size());
        data_.seq_of_message.emplace(write.event.message_id, seq);
        data_.streams[write.event.stream].push_back(seq);
        for (const auto& broker : write.target_brokers) {
            data_.outbox[broker].emplace(seq, memory_row{.priority = write.priority});
        }
    }

    void apply(const kept_removal& handled) {
        if (data_.kept_by(handled.owner, handled.name.number) != nullptr) data_.kept.erase(handled.name.number);
    }

    [[nodiscard]] std::optional<std::int64_t> stored_version(const std::pair<std::string, std::string>& key) const {
        const auto found = data_.states.find(key);
        if (found == data_.states.end()) return std::nullopt;
        return found->second.version;
    }

    [[nodiscard]] std::int64_t next_position(const std::string& stream) const {
        const auto found = data_.streams.find(stream);
        return found == data_.streams.end() ? 0 : static_cast<std::int64_t>(found->second.size());
    }

    memory_data& data_;
    const commit_batch& batch_;
    // What the earlier writes of the same batch will have done.
    std::map<std::pair<std::string, std::string>, std::optional<std::int64_t>> versions_{};
    std::map<std::string, std::int64_t> next_positions_{};
    std::set<std::string> message_ids_{};
    std::set<std::string> keys_{};
    std::set<inbox_key> marks_{};
};

/// The condition of a finder.
class field_equals {
public:
    explicit field_equals(const state_query& query) : field_{query.field} {
        if (field_.empty()) return;
        if (field_.find_first_of("\"\\") != std::string::npos) {
            throw usage_error{"cannot find by field '" + field_ + "': a field's name has no quote and no backslash"};
        }
        wanted_ = json::parse(query.equals);
        if (wanted_.is_array() || wanted_.is_object()) {
            throw usage_error{
                fmt::format("cannot find by field '{}': compare it with a string, number, boolean or "
                            "null, not with an {}",
                            field_, json::to_string(wanted_.kind()))};
        }
    }

    [[nodiscard]] bool operator()(const std::string& state) const {
        if (field_.empty()) return true;
        const auto parsed = json::parse(state);
        const auto* const value = parsed.find(field_);
        if (value == nullptr) return wanted_.is_null();
        // Numbers are compared by value, as a database does: 2 equals 2.0.
        if (value->is_number() && wanted_.is_number())
            return *value == wanted_ || value->as_double() == wanted_.as_double();
        return *value == wanted_;
    }

private:
    std::string field_;
    json::value wanted_;
};

class memory_unit_session final : public unit_session {
public:
    explicit memory_unit_session(memory_data& data) : data_{data} {}

    void lock(std::string_view key) override {
        auto held = data_.locks.acquire(key, lock_timeout);
        if (!held) {
            throw store_error{fmt::format("{} was locked for more than 5 s; try again", key), error_nature::retryable};
        }
        held_.push_back(*std::move(held));
    }
    void unlock() noexcept override { held_.clear(); }

    std::optional<stored_state> load(std::string_view aggregate, std::string_view id) override {
        const std::lock_guard lock{data_.mutex};
        const auto found = data_.states.find({std::string{aggregate}, std::string{id}});
        if (found == data_.states.end()) return std::nullopt;
        return found->second;
    }

    std::vector<stored_state> find(std::string_view aggregate, const state_query& query) override {
        const field_equals matches{query};
        std::vector<stored_state> found;
        const std::lock_guard lock{data_.mutex};
        for (auto it = data_.states.lower_bound({std::string{aggregate}, ""});
             it != data_.states.end() && it->first.first == aggregate && found.size() < query.limit; ++it) {
            if (matches(it->second.state)) found.push_back(it->second);
        }
        return found;
    }

    std::vector<stream_event> read_stream(std::string_view stream, std::int64_t from, std::size_t limit) override {
        const std::lock_guard lock{data_.mutex};
        std::vector<stream_event> events;
        const auto found = data_.streams.find(stream);
        if (found == data_.streams.end()) return events;
        const auto& seqs = found->second;
        for (auto at = static_cast<std::size_t>(from); at < seqs.size() && events.size() < limit; ++at) {
            events.push_back(event_at(seqs, at));
        }
        return events;
    }

    std::optional<stream_event> last_of_stream(std::string_view stream) override {
        const std::lock_guard lock{data_.mutex};
        const auto found = data_.streams.find(stream);
        if (found == data_.streams.end()) return std::nullopt;
        return event_at(found->second, found->second.size() - 1);
    }

    std::optional<stored_snapshot> load_snapshot(std::string_view aggregate, std::string_view id) override {
        const std::lock_guard lock{data_.mutex};
        const auto found = data_.snapshots.find({std::string{aggregate}, std::string{id}});
        return found == data_.snapshots.end() ? std::nullopt : std::optional{found->second};
    }

    std::optional<command_outcome> outcome_of(std::string_view key, date_time now) override {
        const std::lock_guard lock{data_.mutex};
        const auto found = data_.outcomes.find(key);
        if (found == data_.outcomes.end() || found->second.expires_at <= now) return std::nullopt;
        return found->second;
    }

    std::vector<scheduled_message> due_messages(date_time now, std::size_t limit) override {
        const std::lock_guard lock{data_.mutex};
        std::vector<scheduled_message> due;
        for (const auto& [id, message] : data_.scheduled) {
            if (message.due <= now) due.push_back(message);
        }
        std::ranges::stable_sort(due, {}, &scheduled_message::due);
        if (due.size() > limit) due.resize(limit);
        return due;
    }

    std::optional<date_time> next_due() override {
        const std::lock_guard lock{data_.mutex};
        std::optional<date_time> next;
        for (const auto& [id, message] : data_.scheduled) next = std::min(next.value_or(message.due), message.due);
        return next;
    }

    std::optional<projection_gate> look_at_projection(std::string_view name, const inbox_mark& message) override {
        const std::lock_guard lock{data_.mutex};
        const auto found = data_.read_models.find(name);
        if (found == data_.read_models.end()) return std::nullopt;
        const auto& status = found->second.status;
        const auto logged = data_.seq_of_message.find(message.message_id);
        const bool rebuilt = logged != data_.seq_of_message.end() && logged->second <= status.floor;
        const auto marked = data_.find_mark(message);
        const bool done = rebuilt || marked == inbox_answer::handled;
        return projection_gate{.generation = status.generation,
                               .layout = status.layout,
                               .built = status.built,
                               .done = done,
                               .other_content = !done && marked == inbox_answer::other_content};
    }

    std::optional<stored_row> load_row(const row_table& table, std::string_view key) override {
        const std::lock_guard lock{data_.mutex};
        return memory::load_row(data_, table, key);
    }

    std::vector<std::string> find_rows(const row_table& table, const sluice::detail::row_query& query) override {
        const std::lock_guard lock{data_.mutex};
        return select_rows(data_, table, query);
    }

    std::int64_t count_rows(const row_table& table, const sluice::detail::row_query& query) override {
        const std::lock_guard lock{data_.mutex};
        return memory::count_rows(data_, table, query);
    }

    inbox_answer look_in_inbox(const inbox_mark& message) override {
        const std::lock_guard lock{data_.mutex};
        return data_.find_mark(message);
    }

    void commit(const commit_batch& batch) override {
        if (batch.empty()) return;
        const std::lock_guard lock{data_.mutex};
        batch_writer writer{data_, batch};
        writer.check();
        writer.apply();
        if (!batch.events.empty()) data_.tell_lanes();
    }

private:
    /// The caller holds the lock.
    [[nodiscard]] stream_event event_at(const std::vector<sequence>& seqs, std::size_t position) const {
        return {.seq = seqs[position],
                .position = static_cast<std::int64_t>(position),
                .event = data_.event(seqs[position])};
    }

    static constexpr std::chrono::seconds lock_timeout{5};

    memory_data& data_;
    std::vector<base::keyed_locks::hold> held_;
};

}  // namespace

std::unique_ptr<unit_session> make_unit_session(memory_data& data) {
    return std::make_unique<memory_unit_session>(data);
}

}  // namespace sluice::store::memory
