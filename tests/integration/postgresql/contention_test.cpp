#include <atomic>
#include <future>
#include <thread>

#include "command/invocation.hpp"
#include "integration/postgresql/open_commit.hpp"
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
        return service(declared, options());
    }
    [[nodiscard]] static std::unique_ptr<commit::environment> service(const detail::registry& declared,
                                                                      postgresql_options with) {
        commit::adapters parts;
        parts.databases.emplace("default", open_database(std::move(with)));
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

// Four bundles at a time, which change the same letters in different orders.
TEST_F(contention, bundles_of_messages_lose_no_message_and_no_attempt) {
    constexpr int parcels = 200;
    constexpr int letters = 20;
    parcel_desk desk{options(), {.max_retries = 1, .concurrency = 4, .messages_per_transaction = 8}};
    for (int i = 0; i < parcels; ++i) desk.arrives(std::to_string(i), "l-" + std::to_string(i % letters));
    EXPECT_TRUE(eventually([&] { return desk.status().handled == parcels; }, 60s)) << desk.status().detail;
    EXPECT_EQ(desk.status().failed, 0);
    EXPECT_EQ(desk.dead(), 0U);
    EXPECT_EQ(scalar("SELECT sum((state->>'stamps')::int) FROM aggregate_state"), std::to_string(parcels - letters));
    EXPECT_EQ(scalar("SELECT count(*) FROM inbox"), std::to_string(parcels));
}

TEST_F(contention, bundles_whose_connections_break_lose_nothing_and_do_nothing_twice) {
    constexpr int parcels = 300;
    auto where = options();
    where.conninfo += "?application_name=" + schema_;
    parcel_desk desk{where, {.max_retries = 1, .concurrency = 2, .messages_per_transaction = 8}};
    session operator_{uri_};
    for (int i = 0; i < parcels; ++i) {
        desk.arrives(std::to_string(i), "l-" + std::to_string(i));
        if (i % 20 != 19) continue;
        operator_.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '" +
                          schema_ + "'");
    }
    EXPECT_TRUE(eventually([&] { return desk.status().handled == parcels; }, 60s)) << desk.status().detail;
    EXPECT_EQ(desk.dead(), 0U);
    EXPECT_EQ(scalar("SELECT count(*) FROM aggregate_state"), std::to_string(parcels));
    EXPECT_EQ(scalar("SELECT sum((state->>'stamps')::int) FROM aggregate_state"), "0") << "none was handled twice";
    EXPECT_EQ(scalar("SELECT count(*) FROM inbox"), std::to_string(parcels));
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
                        static_cast<void>(projection::project(*env, projector, m, {"e-" + std::to_string(at)}));
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

/// An application's own transaction writes to the stream of a letter and then wants its row; a unit of work has the row
/// and then wants the stream. A trigger holds the unit up in between.
class deadlock : public contention {
protected:
    deadlock() {
        connect().execute(R"(
            CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN PERFORM pg_advisory_xact_lock()" +
                          gate_key_ +
                          R"(); RETURN new; END$$;
            CREATE TRIGGER pause BEFORE UPDATE ON aggregate_state FOR EACH ROW EXECUTE FUNCTION pause())");
    }

    /// Holds the next unit that changes the letter, until `close`.
    void open() {
        gate_.execute("SELECT pg_advisory_lock(" + gate_key_ + ")");
        own_.execute("SET deadlock_timeout = '10min'");  // so the unit finds it, and is the victim
        own_.execute("BEGIN");
        append_event(own_, schema_, "own",
                     scalar("SELECT stream FROM event_log WHERE stream LIKE '%" + letter_ + "' LIMIT 1"));
    }
    /// The unit has the row by now, and the application asks for it.
    void close() {
        EXPECT_TRUE(eventually([&] { return waiting_for(gate_) == "1"; }, 60s)) << "the unit does not come";
        auto asks = std::async(std::launch::async, [&] {
            own_.execute("UPDATE aggregate_state SET id = id WHERE id = '" + letter_ + "'");
            own_.execute("COMMIT");
        });
        EXPECT_TRUE(eventually(
            [&] { return scalar("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = " + own_pid_) == "1"; },
            60s));
        gate_.execute("SELECT pg_advisory_unlock(" + gate_key_ + ")");
        EXPECT_NO_THROW(asks.get()) << "the application was the victim";
    }
    /// A unit is held up until the test has seen it, however busy the machine is.
    [[nodiscard]] postgresql_options patient() const {
        auto with = options();
        with.lock_timeout = with.statement_timeout = 60s;
        return with;
    }
    [[nodiscard]] std::string waiting_for(session& holder) const {
        return scalar("SELECT count(*) FROM pg_stat_activity WHERE " + holder.scalar("SELECT pg_backend_pid()") +
                      " = ANY (pg_blocking_pids(pid))");
    }
    [[nodiscard]] std::string stamps() const {
        return scalar("SELECT state->>'stamps' FROM aggregate_state WHERE id = '" + letter_ + "'");
    }

    std::string letter_ = "l-1";
    std::string gate_key_ = "hashtext('" + schema_ + "')";  // other tests run beside this one
    session gate_ = connect();
    session own_ = connect();
    std::string own_pid_ = own_.scalar("SELECT pg_backend_pid()");
};

TEST_F(deadlock, with_an_applications_transaction_fails_no_command) {
    const auto hook = std::make_shared<post::script>();
    const domain office = post::make_domain(hook);
    const auto env = service(office.declared(), patient());
    command::make_context(*env).process(post::post_letter{.letter_id = letter_});
    open();
    auto stamped = std::async(std::launch::async,
                              [&] { command::make_context(*env).process(post::stamp_letter{.letter_id = letter_}); });
    close();
    EXPECT_NO_THROW(stamped.get());
    EXPECT_EQ(stamps(), "1");
    EXPECT_THAT(hook->seen("commands"), ::testing::ElementsAre(letter_, letter_)) << "it was the victim once";
}

TEST_F(deadlock, with_an_applications_transaction_costs_no_message_an_attempt) {
    parcel_desk desk{patient(), {.max_retries = 1}};
    desk.arrives("p-1", letter_);
    ASSERT_TRUE(eventually([&] { return desk.status().handled == 1; }, 60s));
    open();
    desk.arrives("p-2", letter_);
    close();
    EXPECT_TRUE(eventually([&] { return desk.status().handled == 2; }, 60s)) << desk.status().detail;
    EXPECT_EQ(desk.status().failed, 0);
    EXPECT_EQ(desk.dead(), 0U);
    EXPECT_EQ(stamps(), "1");
    EXPECT_EQ(desk.tries(), 3U) << "it was the victim once";
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
