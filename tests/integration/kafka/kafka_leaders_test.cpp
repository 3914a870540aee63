// Leaders that move and brokers that go, on the cluster of three that librdkafka itself imitates: one real broker
// cannot be made to do that.

#include <array>
#include <map>
#include <thread>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "broker/kafka/kafka_publisher.hpp"
#include "broker/kafka/topic_admin.hpp"
#include "integration/kafka/kafka_fixture.hpp"
#include "support/captured_log.hpp"

namespace sluice::broker::kafka {

described_topics describe_topics(const client& /*by*/, const std::set<std::string>& names,
                                 const net::deadline& /*until*/) {
    described_topics all;
    for (const std::string& name : names) all.there[name] = 0;
    return all;
}

std::map<std::string, refused> create_topics(const client& /*by*/, const kafka_options& /*options*/,
                                             const std::set<std::string>& /*names*/, const net::deadline& /*until*/) {
    return {};
}

namespace {

constexpr int brokers = 3;
constexpr int partitions = 4;
constexpr int keys = 12;

/// Its topic has a leader for each partition; what is moved is known to clients only when they ask again.
class imitated_cluster {
public:
    explicit imitated_cluster(std::string topic) : topic_{std::move(topic)} {
        std::array<char, 256> text{};
        owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), text.data(), text.size());
        if (owner_ == nullptr) throw std::runtime_error{text.data()};
        cluster_ = rd_kafka_mock_cluster_new(owner_, brokers);
        if (rd_kafka_mock_topic_create(cluster_, topic_.c_str(), partitions, brokers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            throw std::runtime_error{"the imitated cluster makes no topic"};
        }
    }
    imitated_cluster(const imitated_cluster&) = delete;
    imitated_cluster& operator=(const imitated_cluster&) = delete;
    ~imitated_cluster() {
        rd_kafka_mock_cluster_destroy(cluster_);
        rd_kafka_destroy(owner_);
    }

    [[nodiscard]] std::string servers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
    void lead(int partition, int broker) {
        rd_kafka_mock_partition_set_leader(cluster_, topic_.c_str(), partition, broker);
    }
    /// What it led has no leader until somebody else leads it.
    void take_down(int broker) { rd_kafka_mock_broker_set_down(cluster_, broker); }
    /// The next answers to what producers send.
    void answer_with(const std::vector<rd_kafka_resp_err_t>& errors) {
        constexpr std::int16_t produce = 0;
        rd_kafka_mock_push_request_errors_array(cluster_, produce, errors.size(), errors.data());
    }
    void bring_up(int broker) { rd_kafka_mock_broker_set_up(cluster_, broker); }

private:
    std::string topic_;
    rd_kafka_t* owner_ = nullptr;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

class kafka_leaders : public ::testing::Test {
protected:
    /// `a0`, `a1`, … of each key, mixed.
    static std::vector<letter> batch(int round) {
        std::vector<letter> made;
        for (int i = 0; i < per_round; ++i) {
            for (int key = 0; key < keys; ++key) {
                const std::string name(1, static_cast<char>('a' + key));
                const std::string id = name + std::to_string(round * per_round + i);
                made.push_back({.id = id, .key = name, .body = id});
            }
        }
        return made;
    }
    /// As a lane does: hands in again what was not delivered, until all is.
    static bool deliver(publisher& to, std::vector<letter> rest, duration timeout = milliseconds{300}) {
        std::string trouble;
        const bool is_done = eventually([&] {
            const auto verdicts = send(to, rest, timeout);
            std::vector<letter> left;
            for (std::size_t i = 0; i < rest.size(); ++i) {
                EXPECT_FALSE(std::holds_alternative<refused>(verdicts[i])) << reason_of(verdicts[i]);
                if (std::holds_alternative<delivered>(verdicts[i])) continue;
                trouble = reason_of(verdicts[i]);
                left.push_back(rest[i]);
            }
            rest = std::move(left);
            return rest.empty();
        });
        EXPECT_TRUE(is_done) << trouble;
        return is_done;
    }
    /// Nothing lost and nothing inverted of any key. @returns how many copies there are
    std::size_t copies(int rounds) const {
        const auto log = sluice::testing::run_command("timeout 20 kcat -C -e -q -b " + cluster_.servers() + " -t " +
                                                      topic_ + " -f '%s\\n' </dev/null");
        std::map<char, std::vector<std::string>> of_key;
        std::istringstream lines{log};
        std::size_t count = 0;
        for (std::string line; std::getline(lines, line); ++count) of_key[line.at(0)].push_back(line);
        EXPECT_EQ(of_key.size(), std::size_t{keys});
        for (const auto& [key, all] : of_key) {
            EXPECT_FALSE(is_inverted(all)) << ::testing::PrintToString(all);
            EXPECT_EQ(first_ones(all).size(), static_cast<std::size_t>(rounds * per_round)) << key;
        }
        return count - static_cast<std::size_t>(rounds * per_round * keys);
    }

    static constexpr int per_round = 5;
    const std::string topic_ = "shop.order";
    imitated_cluster cluster_{topic_};
    [[nodiscard]] std::shared_ptr<const cluster> with(std::map<std::string, std::string> properties) const {
        return std::make_shared<const cluster>(cluster{.options = {.properties = std::move(properties)},
                                                       .location = parse_uri("kafka://" + cluster_.servers())});
    }
    kafka_publisher to_{with({})};
};

TEST_F(kafka_leaders, that_change_in_the_middle_of_batches_lose_and_invert_nothing) {
    constexpr int rounds = 12;
    ASSERT_TRUE(deliver(to_, batch(0)));
    std::atomic<bool> done = false;
    std::jthread mover{[&] {
        for (int turn = 0; !done; ++turn) {
            cluster_.lead(turn % partitions, 1 + (turn / partitions + turn) % brokers);
            std::this_thread::sleep_for(milliseconds{15});
        }
    }};
    for (int round = 1; round < rounds; ++round) EXPECT_TRUE(deliver(to_, batch(round))) << round;
    done = true;
    mover.join();
    RecordProperty("copies", static_cast<int>(copies(rounds)));
}

TEST_F(kafka_leaders, that_go_down_one_after_the_other_lose_and_invert_nothing) {
    constexpr int rounds = 4;
    ASSERT_TRUE(deliver(to_, batch(0)));
    for (int round = 1; round < rounds; ++round) {
        const int away = 1 + round % brokers;
        std::jthread operators{[&] {
            std::this_thread::sleep_for(milliseconds{round * 2});  // with requests under way
            cluster_.take_down(away);
            std::this_thread::sleep_for(milliseconds{500});  // longer than the library tries
            for (int each = 0; each < partitions; ++each) cluster_.lead(each, 1 + (away + each % 2) % brokers);
        }};
        EXPECT_TRUE(deliver(to_, batch(round))) << round;
        operators.join();
        cluster_.bring_up(away);
    }
    RecordProperty("copies", static_cast<int>(copies(rounds)));
}

/// What the cluster answers, on the same.
class kafka_answers : public kafka_leaders {};

// Trap K7: an ordinary outage may end the client for good. A new one takes its place, and nothing is refused.
TEST_F(kafka_answers, that_end_the_client_lose_and_invert_nothing) {
    sluice::testing::captured_log log;
    ASSERT_TRUE(deliver(to_, batch(0)));
    for (int round = 1; round < 4; ++round) {
        cluster_.answer_with({RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
        EXPECT_TRUE(deliver(to_, batch(round))) << round;
    }
    EXPECT_NE(log.text().find("kafka.client_replaced"), std::string::npos);
    RecordProperty("copies", static_cast<int>(copies(4)));
}

// Trap K11: what the client has no room for waits for its turn, and nothing of its key goes first.
TEST_F(kafka_answers, that_come_late_to_a_client_without_room_let_nothing_pass) {
    kafka_publisher narrow{with({{"queue.buffering.max.messages", "5"}})};
    // What is given up on a busy machine would come twice.
    for (int round = 0; round < 3; ++round) EXPECT_TRUE(deliver(narrow, batch(round), seconds{20})) << round;
    EXPECT_EQ(copies(3), 0U);
}

}  // namespace
}  // namespace sluice::broker::kafka
