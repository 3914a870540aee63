#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/error.hpp>

#include "store/lane_name.hpp"
#include "store/store.hpp"
#include "support/eventually.hpp"
#include "support/temporary_directory.hpp"

/// What every store must do. Each suite runs once per store that was built.
namespace sluice::store::contract {

using namespace std::chrono_literals;
using sluice::testing::temporary_directory;

/// Names of the stores under test: `memory` and, when it was built, `sqlite`; in a binary of its own `postgresql`.
[[nodiscard]] std::vector<std::string> stores_under_test();
[[nodiscard]] std::unique_ptr<database> make_store(const std::string& kind, const std::filesystem::path& directory);

/// Seconds of the tests' own time scale.
[[nodiscard]] inline date_time at(int seconds) {
    return date_time::parse("2026-11-23T08:00:00Z") + duration{std::chrono::seconds{seconds}};
}

[[nodiscard]] inline state_write insert(std::string id, std::string state = "{}") {
    return {.what = state_write::operation::insert,
            .aggregate = "Order",
            .id = std::move(id),
            .version = 0,
            .state = std::move(state)};
}
[[nodiscard]] inline state_write update(std::string id, std::int64_t version, std::string state = "{}") {
    return {.what = state_write::operation::update,
            .aggregate = "Order",
            .id = std::move(id),
            .version = version,
            .state = std::move(state)};
}
[[nodiscard]] inline state_write remove(std::string id, std::int64_t version) {
    return {.what = state_write::operation::remove,
            .aggregate = "Order",
            .id = std::move(id),
            .version = version,
            .state = ""};
}

/// An event of order `order`, for the internal and the partner's broker unless said otherwise.
[[nodiscard]] inline event_write event(std::string message_id, const std::string& order = "o-1",
                                       std::vector<std::string> brokers = {"default", "partner"}) {
    return {.event = {.message_id = std::move(message_id),
                      .stream = "shop::order-" + order,
                      .stream_category = "shop::order",
                      .type = "Shop.OrderShipped.v1",
                      .data = R"({"order_id":")" + order + R"("})",
                      .metadata = R"({"headers":{}})",
                      .created_at = at(0)},
            .priority = 0,
            .target_brokers = std::move(brokers)};
}

[[nodiscard]] inline settlement published(sequence seq, date_time when = at(1)) {
    return {.seq = seq, .status = row_status::published, .published_at = when, .receipt = "r"};
}
[[nodiscard]] inline settlement failed(sequence seq, int retry_count) {
    return {.seq = seq,
            .status = row_status::failed,
            .retry_count = retry_count,
            .next_retry_at = at(60),
            .last_error = R"({"message":"no"})"};
}
[[nodiscard]] inline settlement abandoned(sequence seq, int retry_count, date_time when = at(1)) {
    return {.seq = seq,
            .status = row_status::abandoned,
            .retry_count = retry_count,
            .last_error = R"({"message":"never"})",
            .abandoned_at = when};
}

[[nodiscard]] inline lease_report report(std::string state = "flowing") {
    return {.state = std::move(state), .since = at(0)};
}

[[nodiscard]] inline std::vector<sequence> seqs(const due_batch& batch) {
    std::vector<sequence> all;
    for (const auto& row : batch.rows) all.push_back(row.seq);
    return all;
}

class stopwatch {
public:
    [[nodiscard]] std::chrono::steady_clock::duration elapsed() const {
        return std::chrono::steady_clock::now() - start_;
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Looks again and again until the condition holds; false when it does not in time.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& holds) {
    return testing::eventually(holds);
}

/// A fresh, set-up database with one session of each kind.
class store_contract : public ::testing::TestWithParam<std::string> {
protected:
    static constexpr auto ttl = duration{30s};

    store_contract() : store_{make_store(GetParam(), directory_.path())} {
        store_->setup();
        unit_ = store_->open_unit();
        lane_ = store_->open_lane();
        operations_ = store_->open_operations();
    }

    void commit(std::vector<event_write> events) { unit_->commit({.events = std::move(events), .at = at(0)}); }
    void commit(std::vector<state_write> states, std::vector<event_write> events = {},
                std::vector<inbox_mark> marks = {}) {
        unit_->commit(
            {.states = std::move(states), .events = std::move(events), .marks = std::move(marks), .at = at(0)});
    }

    /// Commits `count` events m-1, m-2, … of order o-1.
    void commit_events(int count) {
        for (int i = 1; i <= count; ++i) commit({event("m-" + std::to_string(i))});
    }

    [[nodiscard]] lease_grant take_lane(const std::string& broker = "partner", const std::string& owner = "me") {
        auto grant = lane_.lease->acquire(make_lane_name("default", broker), owner, at(0), ttl);
        if (!grant) throw std::logic_error{"the lane is taken"};
        return *grant;
    }

    [[nodiscard]] outbox_row row(const std::string& message_id, const std::string& broker = "partner") {
        const auto rows = operations_->list({.target_broker = broker, .message_id = message_id});
        if (rows.size() != 1) throw std::logic_error{message_id + " has no such row"};
        return rows.front();
    }

    [[nodiscard]] std::size_t count_rows() { return operations_->list({.limit = 1'000'000}).size(); }

    temporary_directory directory_;
    std::unique_ptr<database> store_;
    std::unique_ptr<unit_session> unit_;
    lane_session lane_;
    std::unique_ptr<operations_session> operations_;
};

#define SLUICE_FOR_EVERY_STORE(suite)                                                 \
    INSTANTIATE_TEST_SUITE_P(stores, suite, ::testing::ValuesIn(stores_under_test()), \
                             [](const auto& tested) { return tested.param; })

}  // namespace sluice::store::contract
