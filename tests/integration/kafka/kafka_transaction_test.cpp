#include <array>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "integration/kafka/kafka_fixture.hpp"
#include "support/freeze.hpp"

namespace sluice::broker::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class kafka_transaction : public ::testing::Test {
protected:
    kafka_transaction() { options_.transactional = true; }
    [[nodiscard]] std::vector<std::string> committed() const {
        return log_of(server_, options_.prefix + "shop.order", "read_committed");
    }

    kafka_server server_ = kafka_server::shared();
    kafka_options options_ = options_for(server_);
};

TEST_F(kafka_transaction, sends_a_run_of_a_key_as_one_and_in_order) {
    const auto broker = make_kafka_broker(options_);
    ASSERT_TRUE(broker->can().fences);
    const auto to = broker->open_publisher();
    const producer lane{.name = "shop-db/partner", .epoch = 1};
    const auto verdicts = send(*to, letters("a", 0, 50), seconds{30}, lane);
    EXPECT_EQ(count_of<delivered>(verdicts), 50U) << reason_of(verdicts.at(0));
    EXPECT_EQ(count_of<delivered>(send(*to, letters("a", 50, 5), seconds{30}, lane)), 5U);
    EXPECT_THAT(committed(), ElementsAreArray(bodies(letters("a", 0, 55))));
}

TEST_F(kafka_transaction, blames_only_the_message_that_is_refused_alone) {
    const sluice::testing::kafka_admin admin{server_.servers()};
    admin.create(options_.prefix + "shop.order");
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    const producer lane{.name = "shop-db/partner", .epoch = 1};
    ASSERT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1), seconds{30}, lane)), 1U);
    admin.set(options_.prefix + "shop.order", "max.message.bytes", "20000");
    ASSERT_TRUE(takes_no_big_ones(*to, lane));
    const auto verdicts = send(
        *to, {{"a1", "k", "a1"}, {"big", "l", std::string(25'000, 'x')}, {"behind", "l", "behind"}, {"a2", "k", "a2"}},
        seconds{20}, lane);
    EXPECT_TRUE(std::holds_alternative<delivered>(verdicts.at(0))) << reason_of(verdicts.at(0));
    EXPECT_EQ(std::get<refused>(verdicts.at(1)).code, "message_too_big");
    EXPECT_TRUE(std::holds_alternative<unreachable>(verdicts.at(2)));
    EXPECT_TRUE(std::holds_alternative<delivered>(verdicts.at(3)));
    EXPECT_THAT(without_probes(committed()), ElementsAre("a0", "a1", "a2"));
}

TEST_F(kafka_transaction, refuses_the_former_owner_of_a_lane) {
    const auto broker = make_kafka_broker(options_);
    const auto frozen = broker->open_publisher();
    const auto successor = broker->open_publisher();
    const std::string lane = "shop-db/partner";
    ASSERT_EQ(count_of<delivered>(send(*frozen, letters("a", 0, 1), seconds{30}, {.name = lane, .epoch = 1})), 1U);
    ASSERT_EQ(count_of<delivered>(send(*successor, letters("b", 0, 1), seconds{30}, {.name = lane, .epoch = 2})), 1U);
    for (int i = 0; i < 2; ++i) {
        const auto verdicts = send(*frozen, letters("a", 1, 2), seconds{30}, {.name = lane, .epoch = 1});
        ASSERT_EQ(count_of<unreachable>(verdicts), 2U);
        EXPECT_THAT(reason_of(verdicts.at(0)), HasSubstr("fenced: a newer owner of lane shop-db/partner"));
        EXPECT_TRUE(frozen->rival());
    }
    EXPECT_EQ(count_of<delivered>(send(*successor, letters("b", 1, 1), seconds{30}, {.name = lane, .epoch = 2})), 1U);
    EXPECT_EQ(count_of<delivered>(send(*frozen, letters("c", 0, 1), seconds{30}, {.name = lane, .epoch = 3})), 1U)
        << "it may own the lane again";
    EXPECT_FALSE(frozen->rival());
    EXPECT_THAT(committed(), ElementsAre("a0", "b0", "b1", "c0"));
}

// Trap K9: of a process that was stopped in the middle of publishing, nothing comes behind its successor.
TEST_F(kafka_transaction, shows_nothing_of_a_stopped_process_behind_its_successor) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    const pid_t child = ::fork();  // before this process has a client of the library under way
    if (child == 0) {
        const auto mine = make_kafka_broker(options_);
        const auto to = mine->open_publisher();
        for (int i = 0;; i += 10) {
            const auto verdicts = send(*to, letters("a", i, 10), seconds{3}, {.name = "shop-db/partner", .epoch = 1});
            const bool fenced = reason_of(verdicts.at(0)).find("fenced") != std::string::npos;
            const char word = fenced ? 'f' : 'p';
            static_cast<void>(!::write(ready[1], &word, 1));
            if (fenced) ::_exit(0);
        }
    }
    char word = 0;
    for (int i = 0; i < 20; ++i) ASSERT_EQ(::read(ready[0], &word, 1), 1);
    sluice::testing::freeze_process(child);
    const auto broker = make_kafka_broker(options_);
    const auto successor = broker->open_publisher();
    EXPECT_TRUE(eventually([&] {
        return count_of<delivered>(
                   send(*successor, letters("b", 0, 3), seconds{5}, {.name = "shop-db/partner", .epoch = 2})) == 3;
    }));
    ::kill(child, SIGCONT);
    EXPECT_TRUE(eventually([&] { return word == 'f' || ::read(ready[0], &word, 1) != 1 || word == 'f'; }));
    EXPECT_EQ(word, 'f');
    ::waitpid(child, nullptr, 0);
    EXPECT_EQ(
        count_of<delivered>(send(*successor, letters("b", 3, 3), seconds{30}, {.name = "shop-db/partner", .epoch = 2})),
        3U);
    bool after = false;
    for (const auto& each : committed()) {
        after = after || each.starts_with('b');
        EXPECT_FALSE(after && each.starts_with('a')) << each << " came behind the successor";
    }
    EXPECT_TRUE(after);
}

}  // namespace
}  // namespace sluice::broker::kafka
