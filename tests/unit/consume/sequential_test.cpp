#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/sluice.hpp>

#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "consume/subscription.hpp"
#include "post_fixture.hpp"
#include "support/eventually.hpp"
#include "support/scripted_broker.hpp"
#include "support/temporary_directory.hpp"
#ifdef SLUICE_WITH_STORE_SQLITE
#include "store/sqlite/sqlite_database.hpp"
#endif

/// A shop whose orders and payments are written down on one statement for each customer.
namespace ledger {

class order;
class payment;
class statement;

struct order_placed {
    static constexpr sluice::event_of<order> contract{.name = "OrderPlaced"};
    sluice::identifier order_id;
    std::string customer_id;
};

struct payment_taken {
    static constexpr sluice::event_of<payment> contract{.name = "PaymentTaken"};
    sluice::identifier payment_id;
    std::string customer_id;
};

class statement : public sluice::aggregate<statement> {
public:
    statement() = default;
    explicit statement(sluice::identifier id) : id_{std::move(id)} {}
    void add(const std::string& line) { lines_ += (lines_.empty() ? "" : " ") + line; }
    [[nodiscard]] const std::string& lines() const { return lines_; }

private:
    sluice::identifier id_;
    std::string lines_;

    BOOST_DESCRIBE_CLASS(statement, (), (), (), (id_, lines_))
};

struct statement_writer {
    static const std::string& sequential_key(const auto& event) { return event.customer_id; }

    void operator()(const order_placed& e, sluice::context& in) const { write(e.customer_id, e.order_id.str(), in); }
    void operator()(const payment_taken& e, sluice::context& in) const { write(e.customer_id, e.payment_id.str(), in); }

    void write(const std::string& customer, const std::string& line, sluice::context& in) const {
        hook->enter(customer, line);
        const std::string id = customer.empty() ? "nobody " + line : customer;
        const auto statements = in.repository<statement>();
        statement* known = statements.find(id);
        if (known == nullptr) known = &statements.add(statement{id});
        known->add(line);
    }

    std::shared_ptr<post::script> hook;
};

/// Not sequential, so that the two kinds can be compared.
struct counter {
    void operator()(const order_placed& /*e*/, sluice::context& /*in*/) const {}
    void operator()(const payment_taken& /*e*/, sluice::context& /*in*/) const {}
};

sluice::domain make_domain(const std::shared_ptr<post::script>& hook) {
    sluice::domain domain{"ledger"};
    domain.stream<order>().events<order_placed>();
    domain.stream<payment>().events<payment_taken>();
    domain.aggregate<statement>();
    domain.event_handler<statement_writer, order_placed, payment_taken>(statement_writer{.hook = hook});
    domain.event_handler<counter, order_placed, payment_taken>();
    return domain;
}

}  // namespace ledger

namespace {

using namespace std::chrono_literals;
using sluice::consume::subscription;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* writer = "ledger.statement_writer";

/// One database and one broker, and processes that share them.
class sequential_test : public testing::TestWithParam<std::string> {
protected:
    sequential_test() {
        database_->setup();
        domain_.validate();
        configuration_.server.subscription.concurrency = 4;
        configuration_.server.priority_lanes.enabled = true;
    }

    /// A process of its own: environment and consumer name.
    std::unique_ptr<subscription> process(const std::string& name) {
        sluice::commit::adapters parts;
        parts.databases.emplace("default", database_);
        parts.brokers.emplace("default", broker_);
        environments_.push_back(
            std::make_unique<sluice::commit::environment>(domain_.declared(), configuration_, parts, clock_, random_));
        return std::make_unique<subscription>(*environments_.back(), route(*environments_.back()), name);
    }
    static sluice::consume::route route(sluice::commit::environment& env, const std::string& name = writer) {
        for (auto& each : sluice::consume::routes_of(env)) {
            if (each.name == name) return each;
        }
        throw sluice::usage_error{"no route"};
    }

    static std::shared_ptr<sluice::store::database> open_database(const std::filesystem::path& directory) {
#ifdef SLUICE_WITH_STORE_SQLITE
        if (GetParam() == "sqlite") return sluice::store::make_sqlite_database({.path = directory / "ledger.db"});
#endif
        static_cast<void>(directory);
        return sluice::store::make_memory_database("ledger");
    }

    void publish(const std::string& category, const std::string& type, const std::string& id_field,
                 const std::string& id, const std::string& customer) {
        const std::string body = R"({"data":{")" + id_field + R"(":")" + id + R"(","customer_id":")" + customer +
                                 R"("},"metadata":{"headers":{"id":")" + id + R"(","type":"Ledger.)" + type +
                                 R"(.v1","stream":")" + category + "-" + id + R"("}}})";
        const sluice::broker::outgoing message{.stream = category, .message_id = id, .key = id, .body = body};
        ASSERT_TRUE(std::holds_alternative<sluice::broker::delivered>(
            broker_->open_publisher()->publish({&message, 1}, {}, 1s).at(0)));
    }
    void place(const std::string& id, const std::string& customer, const std::string& lane = "") {
        publish("ledger::order" + lane, "OrderPlaced", "order_id", id, customer);
    }
    void pay(const std::string& id, const std::string& customer) {
        publish("ledger::payment", "PaymentTaken", "payment_id", id, customer);
    }

    std::string lines(const std::string& customer) {
        sluice::context in = sluice::command::make_context(*environments_.front());
        const sluice::unit_of_work work{in};
        const auto* found = in.repository<ledger::statement>().find(customer);
        return found == nullptr ? "" : found->lines();
    }
    template <class Done>
    static bool keep_working(subscription& s, Done done) {
        return sluice::testing::eventually([&] {
            static_cast<void>(s.work());
            return done();
        });
    }
    std::shared_ptr<post::script> hook_ = std::make_shared<post::script>();
    sluice::domain domain_ = ledger::make_domain(hook_);
    post::moved_clock clock_;
    post::shared_random random_;
    sluice::config::configuration configuration_;
    sluice::testing::temporary_directory directory_;
    std::shared_ptr<sluice::store::database> database_ = open_database(directory_.path());
    std::shared_ptr<sluice::broker::broker> broker_ = sluice::broker::make_inline_broker("default");
    std::vector<std::unique_ptr<sluice::commit::environment>> environments_;
};

TEST_P(sequential_test, has_one_route_over_all_its_categories_and_lanes) {
    const auto s = process("one");
    const auto& where = s->where();
    EXPECT_THAT(where.streams,
                ElementsAre("ledger::order", "ledger::payment", "ledger::order:backfill", "ledger::payment:backfill"));
    EXPECT_EQ(where.primaries, 2U);
    ASSERT_TRUE(where.sequential);
    EXPECT_EQ(where.sequential->lease, "sequential/ledger.statement_writer");
    const auto parallel = route(*environments_.front(), "ledger.counter");
    EXPECT_EQ(parallel.streams.size(), 2U);
    EXPECT_FALSE(parallel.sequential);
}

TEST_P(sequential_test, one_process_works_and_the_others_stand_by) {
    const auto one = process("one");
    const auto two = process("two");
    place("o-1", "ann");
    pay("p-1", "ann");
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().handled == 2; }));
    static_cast<void>(two->work());
    EXPECT_EQ(two->status().state, "standby");
    EXPECT_FALSE(two->status().detail.empty());
    place("o-2", "ann");
    static_cast<void>(two->work());
    EXPECT_EQ(two->status().handled, 0);
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().handled == 3; }));
    EXPECT_EQ(lines("ann"), "o-1 p-1 o-2");
}

TEST_P(sequential_test, a_key_is_handled_in_order_and_apart_and_others_side_by_side) {
    std::mutex mutex;
    std::condition_variable entered;
    std::set<std::string> inside;
    bool overlap = false;
    bool waited = false;
    std::size_t most = 0;
    hook_->on_handle([&](const std::string& line) {
        const std::string customer = line.substr(line.rfind('-') + 1);
        std::unique_lock lock{mutex};
        overlap = overlap || !inside.insert(customer).second;
        most = std::max(most, inside.size());
        entered.notify_all();
        // The first one stays until another key is there too, or until it is clear that none comes.
        if (!std::exchange(waited, true)) entered.wait_for(lock, 60s, [&] { return most > 1; });
        lock.unlock();
        std::this_thread::yield();
        lock.lock();
        inside.erase(customer);
    });
    constexpr int count = 60;
    for (int i = 0; i < count; ++i) {
        const std::string customer = std::to_string(i % 3);
        const std::string id = std::to_string(100 + i) + "-" + customer;
        i % 2 == 0 ? place("o" + id, customer) : pay("p" + id, customer);
    }
    {
        auto one = process("one");
        auto two = process("two");
        std::vector<std::jthread> threads;
        for (auto* each : {one.get(), two.get()}) {
            threads.emplace_back([each](const std::stop_token& stop) { each->run(stop); });
        }
        EXPECT_TRUE(
            sluice::testing::eventually([&] { return one->status().handled + two->status().handled == count; }));
    }
    EXPECT_FALSE(overlap);
    EXPECT_GT(most, 1U) << "different keys go side by side";
    for (const char* customer : {"0", "1", "2"}) {
        std::vector<std::string> orders;
        std::vector<std::string> payments;
        for (const auto& line : hook_->seen(customer)) (line.front() == 'o' ? orders : payments).push_back(line);
        EXPECT_EQ(orders.size() + payments.size(), 20U);
        EXPECT_TRUE(std::ranges::is_sorted(orders)) << "the order of the stream";
        EXPECT_TRUE(std::ranges::is_sorted(payments));
    }
}

TEST_P(sequential_test, what_a_stalled_owner_commits_is_refused_and_the_new_owner_handles_it) {
    std::promise<void> go_on;
    std::atomic<int> calls = 0;
    hook_->on_handle([&, wait = go_on.get_future().share()](const std::string&) {
        if (++calls == 1) wait.wait();  // the first owner stalls in its handler
    });
    place("o-1", "ann");
    const auto one = process("one");
    ASSERT_TRUE(keep_working(*one, [&] { return calls == 1; }));

    clock_.advance(16s);  // past the lease, and not past the claim of the message
    const auto two = process("two");
    static_cast<void>(two->work());
    EXPECT_NE(two->status().state, "standby") << "it took over";
    EXPECT_EQ(two->status().handled, 0) << "the message is still claimed";

    go_on.set_value();
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().in_hand == 0; }));
    EXPECT_EQ(lines("ann"), "") << "the commit was refused, though nobody else had handled the message";
    EXPECT_EQ(one->status().state, "standby");
    EXPECT_EQ(one->status().failed, 0) << "that is no failure of the message";

    ASSERT_TRUE(keep_working(*two, [&] { return two->status().handled == 1; }));
    EXPECT_EQ(lines("ann"), "o-1");
    EXPECT_THAT(broker_->open_operations()->dead_letters({}), IsEmpty());
}

TEST_P(sequential_test, an_owner_that_leaves_is_followed_at_once_and_in_order) {
    for (int i = 1; i <= 6; ++i) place("o-" + std::to_string(i), "ann");
    const auto two = process("two");
    auto left = 6;
    {
        const auto one = process("one");
        std::stop_source stop;
        hook_->on_handle([&](const std::string& line) {
            if (line == "o-3") stop.request_stop();
        });
        one->run(stop.get_token());
        left -= static_cast<int>(one->status().handled);
        EXPECT_GE(left, 1) << "it stops before the end";
        EXPECT_LE(left, 3) << "what it had begun it has done";
    }
    hook_->on_handle(nullptr);
    ASSERT_TRUE(keep_working(*two, [&] { return static_cast<int>(two->status().handled) == left; }))
        << "without waiting for the lease's end";
    EXPECT_EQ(lines("ann"), "o-1 o-2 o-3 o-4 o-5 o-6");
}

TEST_P(sequential_test, an_owner_that_died_is_followed_when_lease_and_claims_have_expired) {
    for (int i = 1; i <= 4; ++i) place("o-" + std::to_string(i), "ann");
    std::atomic<bool> refuse = true;
    hook_->on_handle([&](const std::string& line) {
        if (line == "o-3" && refuse) throw std::runtime_error{"not yet"};
    });
    auto one = process("one");
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().failed == 1; }));
    one.reset();  // without a word
    refuse = false;
    const auto two = process("two");
    static_cast<void>(two->work());
    EXPECT_EQ(two->status().state, "standby");
    clock_.advance(31s);
    ASSERT_TRUE(keep_working(*two, [&] { return two->status().handled >= 2; }));
    EXPECT_EQ(lines("ann"), "o-1 o-2 o-3 o-4");
}

TEST_P(sequential_test, keeps_its_lease_however_long_a_handler_takes) {
    std::promise<void> go_on;
    hook_->on_handle([&, wait = go_on.get_future().share()](const std::string&) { wait.wait(); });
    configuration_.server.subscription.concurrency = 1;
    place("o-1", "ann");
    const auto one = process("one");
    const auto two = process("two");
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().in_hand == 1; }));
    for (int i = 0; i < 30; ++i) {
        clock_.advance(4s);
        static_cast<void>(one->work());
        static_cast<void>(two->work());
        ASSERT_EQ(two->status().state, "standby");
    }
    go_on.set_value();
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().handled == 1; }));
    EXPECT_EQ(lines("ann"), "o-1");
}

TEST_P(sequential_test, an_owner_that_does_not_reach_the_broker_lets_go_when_its_handlers_are_done) {
    const auto script = std::make_shared<sluice::testing::broker_script>();
    const auto reachable = std::exchange(broker_, std::make_shared<sluice::testing::scripted_broker>(broker_, script));
    const auto one = process("one");
    broker_ = reachable;
    const auto two = process("two");
    std::promise<void> go_on;
    hook_->on_handle([&, wait = go_on.get_future().share()](const std::string& line) {
        if (line == "o-1") wait.wait();
    });
    place("o-1", "ann");
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().in_hand == 1; }));
    script->set_unreachable(true);
    clock_.advance(10s);
    static_cast<void>(one->work());
    EXPECT_EQ(one->status().state, "disconnected");
    static_cast<void>(two->work());
    EXPECT_EQ(two->status().state, "standby");

    go_on.set_value();
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().handled == 1; }));
    clock_.advance(31s);
    place("o-2", "ann");
    ASSERT_TRUE(keep_working(*two, [&] { return two->status().handled == 2; })) << "o-1 is a duplicate, o-2 is new";
    EXPECT_EQ(lines("ann"), "o-1 o-2");
}

TEST_P(sequential_test, without_a_key_a_message_waits_for_no_other) {
    std::promise<void> go_on;
    hook_->on_handle([&, wait = go_on.get_future().share()](const std::string& line) {
        if (line == "o-1") wait.wait();
    });
    place("o-1", "");
    place("o-2", "");
    const auto one = process("one");
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().handled == 1; }));
    EXPECT_EQ(lines("nobody o-2"), "o-2");
    go_on.set_value();
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().handled == 2; }));
}

// In the reference a poison message halts its key for good, and only a log line tells.
TEST_P(sequential_test, a_poison_message_goes_to_the_dead_letters_and_its_key_goes_on) {
    hook_->on_handle([](const std::string& line) {
        if (line == "o-1") throw std::runtime_error{"illegible"};
    });
    place("o-1", "ann");
    place("o-2", "ann");
    place("o-3", "bob");
    const auto one = process("one");
    ASSERT_TRUE(keep_working(*one, [&] {
        clock_.advance(1s);
        return one->status().dead == 1 && one->status().handled == 2;
    }));
    EXPECT_EQ(lines("ann"), "o-2");
    EXPECT_EQ(lines("bob"), "o-3");
    const auto dead = broker_->open_operations()->dead_letters({});
    ASSERT_EQ(dead.size(), 1U);
    EXPECT_EQ(dead[0].reason, "illegible");
}

// In the reference the lanes of one key are not ordered against each other.
TEST_P(sequential_test, a_key_is_handled_apart_in_both_of_its_lanes) {
    std::promise<void> go_on;
    hook_->on_handle([&, wait = go_on.get_future().share()](const std::string& line) {
        if (line == "low") wait.wait();
    });
    place("low", "ann", ":backfill");
    const auto one = process("one");
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().in_hand == 1; }));
    place("high", "ann");
    place("other", "bob");
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().handled == 1; }));
    EXPECT_EQ(lines("bob"), "other");
    EXPECT_EQ(lines("ann"), "") << "high waits for low, which came first";
    go_on.set_value();
    ASSERT_TRUE(keep_working(*one, [&] { return one->status().handled == 3; }));
    EXPECT_EQ(lines("ann"), "low high");
}

#ifdef SLUICE_WITH_STORE_SQLITE
INSTANTIATE_TEST_SUITE_P(stores, sequential_test, testing::Values("memory", "sqlite"),
                         [](const auto& of) { return of.param; });
#else
INSTANTIATE_TEST_SUITE_P(stores, sequential_test, testing::Values("memory"), [](const auto& of) { return of.param; });
#endif

struct of_texts {
    static std::string_view sequential_key(const ledger::order_placed& e) { return e.customer_id; }
    static const sluice::identifier& sequential_key(const ledger::payment_taken& e) { return e.payment_id; }
    static std::int64_t sequential_key(int e) { return e; }
};
struct of_one_event {
    static std::string sequential_key(const ledger::order_placed& e) { return e.customer_id; }
};

TEST(sequence_key, is_a_text_an_identifier_or_a_whole_number) {
    using sluice::detail::sequence_key_of;
    EXPECT_EQ(sequence_key_of<of_texts>(ledger::order_placed{.order_id = "o", .customer_id = "ann"}), "ann");
    EXPECT_EQ(sequence_key_of<of_texts>(ledger::payment_taken{.payment_id = "p", .customer_id = "ann"}), "p");
    EXPECT_EQ(sequence_key_of<of_texts>(-7), "-7");
    static_assert(!sluice::detail::sequence_key<double>);
    static_assert(!sluice::detail::sequence_key<std::vector<int>>);
    static_assert(sluice::detail::has_sequential_key<of_one_event, ledger::order_placed>);
    static_assert(!sluice::detail::has_sequential_key<of_one_event, ledger::payment_taken>);
    static_assert(!sluice::detail::has_sequential_key<ledger::counter, ledger::payment_taken>);
}

}  // namespace
