#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/store.hpp"

/// A database and a unit session that hand everything on to another one, so that a test double overrides only what it
/// is about.
namespace sluice::testing {

class forwarding_database : public store::database {
public:
    explicit forwarding_database(std::shared_ptr<store::database> behind) : behind_{std::move(behind)} {}

    [[nodiscard]] std::string describe() const override { return behind_->describe(); }
    void setup() override { behind_->setup(); }
    [[nodiscard]] store::schema_status schema() override { return behind_->schema(); }
    [[nodiscard]] std::string identity() override { return behind_->identity(); }
    [[nodiscard]] store::database_history history() override { return behind_->history(); }
    void claim(std::string_view domain) override { behind_->claim(domain); }
    [[nodiscard]] store::adopted adopt(const store::adoption& how) override { return behind_->adopt(how); }
    [[nodiscard]] std::vector<store::history_fault> faults(std::size_t most_rows) override {
        return behind_->faults(most_rows);
    }
    [[nodiscard]] std::vector<store::weakness> weaknesses() override { return behind_->weaknesses(); }
    [[nodiscard]] std::unique_ptr<store::unit_session> open_unit() override { return behind_->open_unit(); }
    [[nodiscard]] std::unique_ptr<store::lease_session> open_lease() override { return behind_->open_lease(); }
    [[nodiscard]] store::lane_session open_lane() override { return behind_->open_lane(); }
    [[nodiscard]] std::unique_ptr<store::operations_session> open_operations() override {
        return behind_->open_operations();
    }
    [[nodiscard]] std::unique_ptr<store::kept_message_session> open_kept_messages() override {
        return behind_->open_kept_messages();
    }
    [[nodiscard]] std::unique_ptr<store::read_model_session> open_read_models() override {
        return behind_->open_read_models();
    }
    [[nodiscard]] std::unique_ptr<store::backfill_session> open_backfills() override {
        return behind_->open_backfills();
    }

private:
    std::shared_ptr<store::database> behind_;
};

class forwarding_unit : public store::unit_session {
public:
    explicit forwarding_unit(std::unique_ptr<store::unit_session> behind) : behind_{std::move(behind)} {}

    void lock(std::string_view key) override { behind_->lock(key); }
    void unlock() noexcept override { behind_->unlock(); }
    [[nodiscard]] std::optional<store::stored_state> load(std::string_view aggregate, std::string_view id) override {
        about_to_read();
        return behind_->load(aggregate, id);
    }
    [[nodiscard]] std::vector<store::stored_state> find(std::string_view aggregate,
                                                        const store::state_query& query) override {
        about_to_read();
        return behind_->find(aggregate, query);
    }
    [[nodiscard]] std::vector<store::stream_event> read_stream(std::string_view stream, std::int64_t from,
                                                               std::size_t limit) override {
        about_to_read();
        return behind_->read_stream(stream, from, limit);
    }
    [[nodiscard]] std::optional<store::stream_event> last_of_stream(std::string_view stream) override {
        about_to_read();
        return behind_->last_of_stream(stream);
    }
    [[nodiscard]] std::optional<store::stored_snapshot> load_snapshot(std::string_view aggregate,
                                                                      std::string_view id) override {
        about_to_read();
        return behind_->load_snapshot(aggregate, id);
    }
    [[nodiscard]] std::optional<store::command_outcome> outcome_of(std::string_view key, date_time now) override {
        about_to_read();
        return behind_->outcome_of(key, now);
    }
    [[nodiscard]] std::vector<store::scheduled_message> due_messages(date_time now, std::size_t limit) override {
        about_to_read();
        return behind_->due_messages(now, limit);
    }
    [[nodiscard]] std::optional<date_time> next_due() override {
        about_to_read();
        return behind_->next_due();
    }
    [[nodiscard]] std::optional<store::projection_gate> look_at_projection(std::string_view name,
                                                                           const store::inbox_mark& message) override {
        about_to_read();
        return behind_->look_at_projection(name, message);
    }
    [[nodiscard]] std::optional<store::stored_row> load_row(const store::row_table& table,
                                                            std::string_view key) override {
        about_to_read();
        return behind_->load_row(table, key);
    }
    [[nodiscard]] std::vector<std::string> find_rows(const store::row_table& table,
                                                     const detail::row_query& query) override {
        about_to_read();
        return behind_->find_rows(table, query);
    }
    [[nodiscard]] std::int64_t count_rows(const store::row_table& table, const detail::row_query& query) override {
        about_to_read();
        return behind_->count_rows(table, query);
    }
    [[nodiscard]] store::inbox_answer look_in_inbox(const store::inbox_mark& message) override {
        about_to_read();
        return behind_->look_in_inbox(message);
    }
    [[nodiscard]] std::vector<std::string> marked_of(std::span<const std::string> message_ids,
                                                     std::string_view handler) override {
        about_to_read();
        return behind_->marked_of(message_ids, handler);
    }
    void commit(const store::commit_batch& batch) override { behind_->commit(batch); }

protected:
    /// Before each of the calls that only read.
    virtual void about_to_read() {}

private:
    std::unique_ptr<store::unit_session> behind_;
};

}  // namespace sluice::testing
