// A lane with a stream that its broker lets nothing into.

#include "integration/redis/redis_fixture.hpp"
#include "outbox/lane.hpp"
#include "store/memory/memory_database.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::broker::redis_test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

constexpr auto parcel_stream = "shop::parcel";

class closed_stream : public redis_test {
protected:
    closed_stream() {
        database_->setup();
        account({"on", ">pw", "+@all", "resetkeys", "~sluice:*", std::string{"~"} + parcel_stream});
        outbox::lane_settings settings;
        settings.database = "default";
        settings.broker = "target";
        settings.owner = "me";
        settings.overlapping = outbox::overlap::none;
        settings.outbox.retry.max_attempts = 2;
        broker_ = connect({.uri = fmt::format("redis://app:pw@127.0.0.1:{}", server_.port())});
        lane_ = std::make_unique<outbox::lane>(settings,
                                               outbox::lane_ports{*database_, *broker_, clock_, random_, tracer_});
    }

    void account(const strings& change) const {
        strings command{"acl", "setuser", "app"};
        command.insert(command.end(), change.begin(), change.end());
        server_.cli(command);
    }
    void commit(const std::string& id, const std::string& stream) {
        store::event_write write;
        write.event = {id,          stream + "-1", stream,
                       "Shop.X.v1", R"({"n":1})",  fmt::format(R"({{"headers":{{"id":"{}"}},"domain":{{}}}})", id),
                       clock_.now()};
        write.target_brokers = {"target"};
        store::commit_batch batch;
        batch.at = clock_.now();
        batch.events.push_back(std::move(write));
        database_->open_unit()->commit(batch);
    }
    /// Turns the lane, and lets the time pass that it wants to sleep.
    void live(duration time) {
        const auto end = clock_.monotonic_now() + time;
        while (clock_.monotonic_now() < end) {
            const auto rest = lane_->turn();
            if (!rest) continue;
            const auto* const nap = std::get_if<outbox::action::sleep>(&*rest);
            ASSERT_NE(nap, nullptr) << "the lane has ended";
            clock_.advance_to(std::min(nap->until, end));
        }
        while (!lane_->turn()) {
        }
    }
    [[nodiscard]] std::string length_of(const std::string& stream) const { return server_.cli({"xlen", stream}); }
    [[nodiscard]] store::outbox_row row(const std::string& id) {
        return database_->open_operations()->list({.message_id = id}).at(0);
    }
    /// Two orders that nothing lets in, and parcels before, behind and after long.
    void expect_that_only_orders_wait(const std::string& reason) {
        commit("p-1", parcel_stream);
        commit("o-1", order_stream);
        commit("o-2", order_stream);
        commit("p-2", parcel_stream);
        live(3h);
        commit("p-3", parcel_stream);
        live(1min);
        EXPECT_EQ(length_of(parcel_stream), "3");
        EXPECT_EQ(row("o-1").status, store::row_status::failed);
        EXPECT_EQ(row("o-1").retry_count, 0);
        EXPECT_THAT(row("o-1").last_error, HasSubstr(reason));
        EXPECT_EQ(row("o-2").status, store::row_status::pending);
    }

    sluice::testing::virtual_clock clock_;
    base::seeded_random random_{1};
    observe::tracer tracer_{"shop", clock_};
    std::unique_ptr<store::database> database_ = store::make_memory_database("default");
    std::unique_ptr<broker> broker_;
    std::unique_ptr<outbox::lane> lane_;
};

TEST_F(closed_stream, by_missing_rights_costs_no_attempt_and_stops_no_other) {
    expect_that_only_orders_wait("NOPERM");
    account({std::string{"~"} + order_stream});
    live(2h);
    EXPECT_THAT(ids_in(), ::testing::ElementsAre("o-1", "o-2"));
    EXPECT_EQ(length_of(parcel_stream), "3") << "nothing twice";
}

TEST_F(closed_stream, by_another_kind_of_value_costs_no_attempt_and_stops_no_other) {
    account({std::string{"~"} + order_stream});
    server_.cli({"rpush", order_stream, "x"});
    expect_that_only_orders_wait("WRONGTYPE");
    server_.cli({"rename", order_stream, "orders-of-somebody"});
    live(2h);
    EXPECT_THAT(ids_in(), ::testing::ElementsAre("o-1", "o-2"));
    EXPECT_EQ(length_of(parcel_stream), "3") << "nothing twice";
}

}  // namespace
}  // namespace sluice::broker::redis_test
