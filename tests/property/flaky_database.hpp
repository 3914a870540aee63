#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sluice/error.hpp>

#include "base/random.hpp"
#include "store/store.hpp"

namespace sluice::testing {

/// When calls to a database fail: before they did anything, or after they did all of it.
struct flakiness {
    double chance = 0;
    base::random_source* random = nullptr;

    void strike() const {
        if (chance > 0 && random->uniform() < chance) {
            throw store_error{"scripted trouble with the database", error_nature::retryable};
        }
    }
    template <class Call>
    decltype(auto) around(Call call) const {
        strike();
        auto result = call();
        strike();
        return result;
    }
};

/// A lease session whose calls fail now and then, also after they took effect.
class flaky_lease_session final : public store::lease_session {
public:
    flaky_lease_session(std::unique_ptr<store::lease_session> behind, const flakiness& faults)
        : behind_{std::move(behind)}, faults_{faults} {}

    store::lease_answer acquire(std::string_view lane, std::string_view owner, date_time now, duration ttl) override {
        return faults_.around([&] { return behind_->acquire(lane, owner, now, ttl); });
    }
    bool renew(store::lease_grant& grant, const store::lease_report& report, date_time now, duration ttl) override {
        return faults_.around([&] { return behind_->renew(grant, report, now, ttl); });
    }
    void release(const store::lease_grant& grant, const store::lease_report& report) override {
        faults_.strike();
        behind_->release(grant, report);
        faults_.strike();
    }
    void stand_by(std::string_view lane, std::string_view owner, date_time now, duration ttl) override {
        faults_.strike();
        behind_->stand_by(lane, owner, now, ttl);
        faults_.strike();
    }
    void withdraw(std::string_view lane, std::string_view owner) override {
        faults_.strike();
        behind_->withdraw(lane, owner);
        faults_.strike();
    }
    std::string choose_heir(const store::lease_grant& grant, date_time now, duration ttl) override {
        return faults_.around([&] { return behind_->choose_heir(grant, now, ttl); });
    }
    std::optional<store::lane_pause> pause_of(std::string_view broker) override {
        return faults_.around([&] { return behind_->pause_of(broker); });
    }
    [[nodiscard]] std::string lost_history() const override { return behind_->lost_history(); }

private:
    std::unique_ptr<store::lease_session> behind_;
    const flakiness& faults_;
};

/// The same for the rows.
class flaky_row_source final : public store::row_source {
public:
    flaky_row_source(std::unique_ptr<store::row_source> behind, const flakiness& faults)
        : behind_{std::move(behind)}, faults_{faults} {}

    store::due_batch due(const store::lease_grant& grant, std::string_view target_broker, store::sequence after,
                         const store::page_size& limit) override {
        return faults_.around([&] { return behind_->due(grant, target_broker, after, limit); });
    }
    store::due_batch due_in_stream(const store::lease_grant& grant, std::string_view target_broker,
                                   std::string_view stream, store::sequence after, store::sequence upto,
                                   const store::page_size& limit) override {
        return faults_.around([&] { return behind_->due_in_stream(grant, target_broker, stream, after, upto, limit); });
    }
    store::settle_outcome settle(const store::lease_grant& grant, std::string_view target_broker,
                                 std::span<const store::settlement> settlements, store::sequence mark) override {
        return faults_.around([&] { return behind_->settle(grant, target_broker, settlements, mark); });
    }
    store::backfill_step give_backfill(const store::lease_grant& grant, std::string_view target_broker, date_time now,
                                       std::size_t most) override {
        return faults_.around([&] { return behind_->give_backfill(grant, target_broker, now, most); });
    }
    store::wake_reason wait(store::wake_signal& signal, duration timeout) override {
        return behind_->wait(signal, timeout);
    }
    std::size_t purge(const store::lease_grant& grant, std::string_view target_broker, date_time published_before,
                      date_time abandoned_before, std::size_t limit) override {
        return faults_.around(
            [&] { return behind_->purge(grant, target_broker, published_before, abandoned_before, limit); });
    }

private:
    std::unique_ptr<store::row_source> behind_;
    const flakiness& faults_;
};

/// The database as lanes see it; everybody else uses the one behind.
class flaky_database final : public store::database {
public:
    flaky_database(store::database& behind, const flakiness& faults) : behind_{behind}, faults_{faults} {}

    [[nodiscard]] std::string describe() const override { return behind_.describe(); }
    void setup() override { behind_.setup(); }
    [[nodiscard]] store::schema_status schema() override { return behind_.schema(); }
    [[nodiscard]] std::string identity() override { return behind_.identity(); }
    [[nodiscard]] store::database_history history() override { return behind_.history(); }
    void claim(std::string_view domain) override { behind_.claim(domain); }
    [[nodiscard]] store::adopted adopt(const store::adoption& how) override { return behind_.adopt(how); }
    [[nodiscard]] std::vector<store::history_fault> faults(std::size_t most_rows) override {
        return behind_.faults(most_rows);
    }
    [[nodiscard]] std::vector<store::weakness> weaknesses() override { return behind_.weaknesses(); }
    [[nodiscard]] std::unique_ptr<store::unit_session> open_unit() override { return behind_.open_unit(); }
    [[nodiscard]] std::unique_ptr<store::operations_session> open_operations() override {
        return behind_.open_operations();
    }
    [[nodiscard]] std::unique_ptr<store::kept_message_session> open_kept_messages() override {
        return behind_.open_kept_messages();
    }
    [[nodiscard]] std::unique_ptr<store::read_model_session> open_read_models() override {
        return behind_.open_read_models();
    }
    [[nodiscard]] std::unique_ptr<store::backfill_session> open_backfills() override {
        return behind_.open_backfills();
    }
    [[nodiscard]] std::unique_ptr<store::lease_session> open_lease() override {
        faults_.strike();
        return std::make_unique<flaky_lease_session>(behind_.open_lease(), faults_);
    }
    [[nodiscard]] store::lane_session open_lane() override {
        faults_.strike();
        auto lane = behind_.open_lane();
        return {.lease = std::make_unique<flaky_lease_session>(std::move(lane.lease), faults_),
                .rows = std::make_unique<flaky_row_source>(std::move(lane.rows), faults_)};
    }

private:
    store::database& behind_;
    const flakiness& faults_;
};

}  // namespace sluice::testing
