#pragma once

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/error.hpp>

#include "store/lane_name.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "support/eventually.hpp"
#include "support/postgresql_server.hpp"

namespace sluice::store::postgresql_test {

using namespace std::chrono_literals;
using testing::postgresql::session;

[[nodiscard]] inline event_write event(std::string message_id, const std::string& order = "o-1",
                                       std::vector<std::string> brokers = {"default", "partner"}) {
    return {.event = {.message_id = std::move(message_id),
                      .stream = "shop::order-" + order,
                      .stream_category = "shop::order",
                      .type = "Shop.OrderShipped.v1",
                      .data = R"({"order_id":")" + order + R"("})",
                      .metadata = R"({"headers":{}})",
                      .created_at = system_clock().now()},
            .priority = 0,
            .target_brokers = std::move(brokers)};
}

[[nodiscard]] inline state_write insert(std::string id) {
    return {
        .what = state_write::operation::insert, .aggregate = "Order", .id = std::move(id), .version = 0, .state = "{}"};
}
[[nodiscard]] inline state_write update(std::string id, std::int64_t version) {
    return {.what = state_write::operation::update,
            .aggregate = "Order",
            .id = std::move(id),
            .version = version,
            .state = "{}"};
}

[[nodiscard]] inline std::vector<settlement> published(const std::vector<due_row>& rows) {
    std::vector<settlement> outcomes;
    for (const auto& row : rows) {
        outcomes.push_back(
            {.seq = row.seq, .status = row_status::published, .published_at = system_clock().now(), .receipt = "r"});
    }
    return outcomes;
}

[[nodiscard]] inline std::vector<std::string> ids(const due_batch& batch) {
    std::vector<std::string> all;
    for (const auto& row : batch.rows) all.push_back(row.event.message_id);
    return all;
}

/// Looks again and again until the condition holds; false when it does not in time.
template <class Condition>
[[nodiscard]] bool eventually(const Condition& holds, std::chrono::seconds time = testing::long_enough) {
    return testing::eventually(holds, time);
}

/// The text of the error that `act` ends with.
template <class Act>
[[nodiscard]] std::string error_of(Act act) {
    try {
        act();
    } catch (const error& e) {
        return e.what();
    }
    return "no error";
}

/// A schema of the test's own on the shared server.
class postgresql_fixture : public ::testing::Test {
protected:
    static constexpr auto ttl = duration{30s};

    /// A lane waits at no gap, so that a test says by itself what happens there.
    [[nodiscard]] postgresql_options options() const {
        return {.conninfo = uri_, .schema = schema_, .order_wait = duration{0}};
    }
    [[nodiscard]] std::unique_ptr<database> open_database() const { return open_database(options()); }
    [[nodiscard]] static std::unique_ptr<database> open_database(postgresql_options with) {
        return make_postgresql_database(std::move(with));
    }
    /// SQL with the schema as search path, so that tables go by their plain names.
    [[nodiscard]] session connect() const {
        session db{uri_};
        db.execute("SET search_path = " + schema_);
        return db;
    }
    [[nodiscard]] std::string scalar(const std::string& sql) const { return connect().scalar(sql); }

    static void commit(unit_session& unit, std::vector<event_write> events, std::vector<state_write> states = {}) {
        unit.commit({.states = std::move(states), .events = std::move(events), .at = system_clock().now()});
    }
    [[nodiscard]] static lease_grant take(const lane_session& lane, const std::string& broker = "partner",
                                          const std::string& owner = "me") {
        auto grant = lane.lease->acquire(make_lane_name("default", broker), owner, system_clock().now(), ttl);
        if (!grant) throw std::logic_error{"the lane is taken"};
        return *grant;
    }

    std::string uri_ = testing::postgresql::uri();
    std::string schema_ = testing::postgresql::fresh_schema();
};

/// The same, set up.
class postgresql_ready : public postgresql_fixture {
protected:
    postgresql_ready() { store_->setup(); }

    std::unique_ptr<database> store_ = open_database();
};

}  // namespace sluice::store::postgresql_test
