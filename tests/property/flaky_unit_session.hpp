#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/error.hpp>

#include "base/random.hpp"
#include "store/store.hpp"

namespace sluice::testing {

/// How often a commit dies on its way, and how often its answer does: the process or its connection is gone then.
struct commit_deaths {
    double before = 0;
    double after = 0;
    base::random_source* random = nullptr;
    int after_count = 0;  ///< commits that took effect without anybody being told
};

/// A unit session whose commits die now and then; what it reads is right.
class flaky_unit_session final : public store::unit_session {
public:
    flaky_unit_session(std::unique_ptr<store::unit_session> behind, commit_deaths& deaths)
        : behind_{std::move(behind)}, deaths_{deaths} {}

    std::optional<store::stored_state> load(std::string_view aggregate, std::string_view id) override {
        return behind_->load(aggregate, id);
    }
    std::vector<store::stored_state> find(std::string_view aggregate, const store::state_query& query) override {
        return behind_->find(aggregate, query);
    }
    std::vector<store::stream_event> read_stream(std::string_view stream, std::int64_t from,
                                                 std::size_t limit) override {
        return behind_->read_stream(stream, from, limit);
    }
    std::optional<store::stream_event> last_of_stream(std::string_view stream) override {
        return behind_->last_of_stream(stream);
    }
    std::optional<store::stored_snapshot> load_snapshot(std::string_view aggregate, std::string_view id) override {
        return behind_->load_snapshot(aggregate, id);
    }
    std::optional<store::command_outcome> outcome_of(std::string_view key, date_time now) override {
        return behind_->outcome_of(key, now);
    }
    std::vector<store::scheduled_message> due_messages(date_time now, std::size_t limit) override {
        return behind_->due_messages(now, limit);
    }
    std::optional<date_time> next_due() override { return behind_->next_due(); }
    bool is_marked(std::string_view message_id, std::string_view handler) override {
        return behind_->is_marked(message_id, handler);
    }
    void commit(const store::commit_batch& batch) override {
        if (deaths_.random->uniform() < deaths_.before) {
            throw store_error{"the connection died before the commit", error_nature::retryable};
        }
        behind_->commit(batch);
        if (deaths_.random->uniform() < deaths_.after) {
            ++deaths_.after_count;
            throw store_error{"the connection died before the answer", error_nature::in_doubt};
        }
    }

private:
    std::unique_ptr<store::unit_session> behind_;
    commit_deaths& deaths_;
};

/// The database as units of work see it; everybody else uses the one behind.
class dying_database final : public store::database {
public:
    dying_database(std::shared_ptr<store::database> behind, commit_deaths& deaths)
        : behind_{std::move(behind)}, deaths_{deaths} {}

    [[nodiscard]] std::string describe() const override { return behind_->describe(); }
    void setup() override { behind_->setup(); }
    [[nodiscard]] store::schema_status schema() override { return behind_->schema(); }
    [[nodiscard]] std::string identity() override { return behind_->identity(); }
    [[nodiscard]] std::unique_ptr<store::unit_session> open_unit() override {
        return std::make_unique<flaky_unit_session>(behind_->open_unit(), deaths_);
    }
    [[nodiscard]] std::unique_ptr<store::lane_session> open_lane() override { return behind_->open_lane(); }
    [[nodiscard]] std::unique_ptr<store::operations_session> open_operations() override {
        return behind_->open_operations();
    }

private:
    std::shared_ptr<store::database> behind_;
    commit_deaths& deaths_;
};

}  // namespace sluice::testing
