#include <atomic>
#include <thread>

#include "command/invocation.hpp"
#include "integration/postgresql/parcel_desk.hpp"
#include "integration/postgresql/postgresql_fixture.hpp"
#include "support/depot_rows.hpp"

/// Many writers of one thing: all of them get their turn.
namespace sluice::store::postgresql_test {
namespace {

class contention : public postgresql_ready {
protected:
    /// A service of its own, with connections and a memory of its own.
    [[nodiscard]] std::unique_ptr<commit::environment> service(const detail::registry& declared) const {
        commit::adapters parts;
        parts.databases.emplace("default", open_database());
        return std::make_unique<commit::environment>(declared, config::configuration{}, parts, system_clock(),
                                                     base::system_random());
    }
};

TEST_F(contention, six_services_change_one_aggregate_and_no_command_fails) {
    const auto hook = std::make_shared<post::script>();
    const domain office = post::make_domain(hook);
    constexpr int services = 6;
    constexpr int each = 50;
    command::make_context(*service(office.declared())).process(post::post_letter{.letter_id = "l-1"});
    std::atomic<int> failed = 0;
    {
        std::vector<std::jthread> all;
        for (int i = 0; i < services; ++i) {
            all.emplace_back([&] {
                const auto env = service(office.declared());
                auto in = command::make_context(*env);
                for (int n = 0; n < each; ++n) {
                    try {
                        in.process(post::stamp_letter{.letter_id = "l-1"});
                    } catch (const error& e) {
                        ADD_FAILURE() << e.what();
                        ++failed;
                    }
                }
            });
        }
    }
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(scalar("SELECT state->>'stamps' FROM aggregate_state"), std::to_string(services * each));
}

TEST_F(contention, sixteen_hands_on_one_aggregate_lose_no_message_and_no_attempt) {
    constexpr int parcels = 100;
    parcel_desk desk{options(), {.concurrency = 16}};
    for (int i = 0; i < parcels; ++i) desk.arrives(std::to_string(i), "the-same");
    EXPECT_TRUE(eventually([&] { return desk.status().handled == parcels; }, 60s)) << desk.status().detail;
    EXPECT_EQ(desk.status().failed, 0);
    EXPECT_EQ(desk.dead(), 0U);
    EXPECT_EQ(scalar("SELECT state->>'stamps' FROM aggregate_state"), std::to_string(parcels - 1));
}

TEST_F(contention, sixteen_hands_on_one_row_of_a_read_model_lose_no_event) {
    depot::fixture depot{open_database()};
    depot.create_tables();
    for (int i = 0; i < 100; ++i) depot.pack("crate-" + std::to_string(i), "ada");
    const auto env = service(depot.domain.declared());
    const auto& projector = depot.projector("customer_totals");
    const auto log = depot.log();
    std::atomic<std::size_t> next = 0;
    std::atomic<int> failed = 0;
    {
        std::vector<std::jthread> hands;
        for (int i = 0; i < 16; ++i) {
            hands.emplace_back([&] {
                for (std::size_t at = next++; at < log.size(); at = next++) {
                    const auto m =
                        message::decode(envelope::render_internal(log[at].event.data, log[at].event.metadata));
                    try {
                        static_cast<void>(projection::project(*env, projector, m, "e-" + std::to_string(at)));
                    } catch (const error& e) {
                        ADD_FAILURE() << e.what();
                        ++failed;
                    }
                }
            });
        }
    }
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(testing::stored(depot, "customer_totals"), testing::fold(depot, "customer_totals"));
}

TEST_F(contention, a_lock_that_nobody_gives_back_delays_nobody_for_ever) {
    auto hasty = options();
    hasty.lock_timeout = 50ms;
    const auto store = open_database(hasty);
    const auto holder = store_->open_unit();  // of another process
    holder->lock("state Order o-1");
    const auto unit = store->open_unit();
    try {
        unit->lock("state Order o-1");
        FAIL() << "two have it";
    } catch (const store_error& e) {
        EXPECT_EQ(e.nature(), error_nature::retryable) << e.what();
    }
    commit(*unit, {}, {insert("o-1")});  // what does not lock is not kept out
    holder->unlock();
    unit->lock("state Order o-1");
}

TEST_F(contention, a_lock_goes_with_the_connection_that_holds_it) {
    const auto unit = store_->open_unit();
    unit->lock("state Order o-1");
    testing::postgresql::session{}.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = '" + schema_ +
        ".aggregate_state'::regclass::oid");
    EXPECT_THROW(static_cast<void>(unit->load("Order", "o-1")), store_error);
    unit->unlock();
    const auto another = open_database();  // of another process
    const auto other = another->open_unit();
    other->lock("state Order o-1");
    unit->lock("state Order o-2");
    EXPECT_FALSE(unit->load("Order", "o-1"));
}

}  // namespace
}  // namespace sluice::store::postgresql_test
