#include "integration/kafka/kafka_fixture.hpp"

namespace sluice::broker::kafka {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class kafka_publisher_test : public ::testing::Test {
protected:
    [[nodiscard]] std::string topic() const { return options_.prefix + "shop.order"; }

    kafka_server server_ = kafka_server::shared();
    kafka_options options_ = options_for(server_);
    sluice::testing::kafka_admin admin_{server_.servers()};
};

// The first one is refused; those behind it must not pass it (traps K1 and K2).
TEST_F(kafka_publisher_test, lets_nothing_pass_a_message_that_is_larger_than_its_topic_takes) {
    admin_.create(topic(), 1, {{"max.message.bytes", "20000"}});
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    const std::string big(25'000, 'x');
    const auto verdicts = send(
        *to, {{"s0", "k", "s0"}, {"big", "k", big}, {"s1", "k", "s1"}, {"other", "l", "other"}, {"s2", "k", "s2"}});
    EXPECT_TRUE(std::holds_alternative<delivered>(verdicts.at(0)));
    EXPECT_EQ(std::get<refused>(verdicts.at(1)).code, "message_too_big");
    EXPECT_TRUE(std::get<refused>(verdicts.at(1)).permanent);
    EXPECT_TRUE(std::holds_alternative<unreachable>(verdicts.at(2)));
    EXPECT_TRUE(std::holds_alternative<delivered>(verdicts.at(3)));
    EXPECT_TRUE(std::holds_alternative<unreachable>(verdicts.at(4)));
    EXPECT_THAT(log_of(server_, topic()), ElementsAre("s0", "other"));
}

// Each message is a request of its own, and only the broker knows that one is too large (trap K2).
TEST_F(kafka_publisher_test, lets_nothing_pass_a_message_that_the_broker_refuses) {
    admin_.create(topic());
    options_.properties["batch.num.messages"] = "1";
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    ASSERT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1))), 1U);
    admin_.set(topic(), "max.message.bytes", "20000");
    ASSERT_TRUE(takes_no_big_ones(*to));
    const auto verdicts =
        send(*to, {{"a1", "k", "a1"}, {"big", "k", std::string(25'000, 'x')}, {"a2", "k", "a2"}, {"a3", "k", "a3"}});
    EXPECT_TRUE(std::holds_alternative<delivered>(verdicts.at(0)));
    EXPECT_TRUE(std::holds_alternative<refused>(verdicts.at(1))) << reason_of(verdicts.at(1));
    EXPECT_TRUE(std::holds_alternative<unreachable>(verdicts.at(2)));
    EXPECT_TRUE(std::holds_alternative<unreachable>(verdicts.at(3)));
    EXPECT_THAT(without_probes(log_of(server_, topic())), ElementsAre("a0", "a1"));
}

// The limit shrinks while we publish: the broker refuses whole batches, and only the one that is too big alone is to
// blame (trap K1).
TEST_F(kafka_publisher_test, blames_only_the_message_that_is_refused_alone) {
    admin_.create(topic());
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    ASSERT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1))), 1U);
    admin_.set(topic(), "max.message.bytes", "20000");
    ASSERT_TRUE(takes_no_big_ones(*to));
    std::vector<letter> batch;
    for (int i = 0; i < 40; ++i) {
        batch.push_back({"m" + std::to_string(i), "k" + std::to_string(i), std::string(1000, 'x')});
    }
    batch.insert(batch.begin() + 5, {"big", "big", std::string(25'000, 'x')});
    batch.insert(batch.begin() + 6, {"behind", "big", "behind"});
    const auto verdicts = send(*to, batch, seconds{20});
    EXPECT_EQ(count_of<delivered>(verdicts), 40U);
    EXPECT_EQ(std::get<refused>(verdicts.at(5)).code, "message_too_big") << reason_of(verdicts.at(5));
    EXPECT_TRUE(std::holds_alternative<unreachable>(verdicts.at(6)));
    EXPECT_EQ(without_probes(log_of(server_, topic())).size(), 41U) << "each once";
}

TEST_F(kafka_publisher_test, refuses_for_a_topic_that_is_not_there_and_says_so) {
    options_.create_topics = false;
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    const auto no = std::get<refused>(send(*to, letters("a", 0, 1)).at(0));
    EXPECT_THAT(no.reason, HasSubstr("topic " + options_.prefix + "shop.order is not there"));
    EXPECT_EQ(no.code, "UNKNOWN_TOPIC_OR_PART");
    EXPECT_FALSE(no.permanent);
    EXPECT_TRUE(no.stream_closed) << "it costs no attempt";

    admin_.create(topic());
    EXPECT_TRUE(eventually([&] { return count_of<delivered>(send(*to, letters("a", 0, 1))) == 1; }));
}

// Trap K8: a topic that goes and comes again.
TEST_F(kafka_publisher_test, keeps_the_order_over_a_topic_that_was_deleted_and_made_again) {
    admin_.create(topic());
    options_.create_topics = false;
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    ASSERT_EQ(count_of<delivered>(send(*to, letters("a", 0, 2))), 2U);
    admin_.remove(topic());
    {
        // The controller has removed it; the broker hears of that a moment later, and takes messages until then.
        const auto other = make_kafka_broker(options_);
        const auto probe = other->open_publisher();
        int sent = 0;
        ASSERT_TRUE(eventually([&] { return count_of<delivered>(send(*probe, letters("p", sent++, 1))) == 0; }));
    }
    const auto gone = send(*to, letters("a", 2, 2));
    EXPECT_EQ(count_of<delivered>(gone), 0U) << "nothing can be delivered to a topic that is gone";
    admin_.create(topic());

    std::size_t next = 2;
    EXPECT_TRUE(eventually(
        [&] {
            // As a lane does: what was not delivered comes again, in order.
            const auto verdicts = send(*to, letters("a", static_cast<int>(next), 5 - static_cast<int>(next)));
            for (const auto& each : verdicts) {
                if (!std::holds_alternative<delivered>(each)) break;
                ++next;
            }
            return next == 5;
        },
        seconds{60}));
    const auto found = log_of(server_, topic());
    EXPECT_THAT(first_ones(found), ElementsAre("a2", "a3", "a4"));
    EXPECT_FALSE(is_inverted(found));
}

TEST_F(kafka_publisher_test, refuses_names_that_kafka_does_not_take) {
    const auto broker = make_kafka_broker(options_);
    const auto no = std::get<refused>(send(*broker->open_publisher(), {{"a", "k", "x", "shop::or der"}}).at(0));
    EXPECT_EQ(no.code, "bad_topic_name");
    EXPECT_TRUE(no.permanent);
}

TEST_F(kafka_publisher_test, writes_key_and_headers_as_the_tools_read_them) {
    const auto broker = make_kafka_broker(options_);
    const std::vector<envelope::header> head{{"ce-id", "e1"}, {"ce-subject", "€ \"%\""}, {"traceparent", "00-1-2-03"}};
    const std::vector<outgoing> batch{{.stream = "shop::order",
                                       .message_id = "e1",
                                       .key = "order-1",
                                       .body = "{}",
                                       .head = head,
                                       .content_type = "application/json"}};
    const auto verdicts = broker->open_publisher()->publish(batch, {}, seconds{10});
    ASSERT_EQ(count_of<delivered>(verdicts), 1U) << reason_of(verdicts.at(0));
    EXPECT_EQ(std::get<delivered>(verdicts.at(0)).receipt, "0:0");
    const auto shown = sluice::testing::run_command("kcat -C -e -q -J -b " + server_.servers() + " -t " + topic());
    EXPECT_THAT(shown, HasSubstr(R"("headers":["ce_id","e1","ce_subject","€ \"%\"","traceparent","00-1-2-03")"
                                 R"(,"content-type","application/json"])"));
    EXPECT_THAT(shown, HasSubstr(R"("key":"order-1","payload":"{}")"));
}

TEST_F(kafka_publisher_test, says_why_nobody_can_be_reached) {
    options_.uri = "kafka://127.0.0.1:1";
    const auto broker = make_kafka_broker(options_);
    const auto to = broker->open_publisher();
    const auto begin = std::chrono::steady_clock::now();
    const auto verdicts = send(*to, letters("a", 0, 2), seconds{2});
    EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds{30});
    EXPECT_THAT(std::get<unreachable>(verdicts.at(0)).reason, HasSubstr("Connection refused"));
    EXPECT_THAT(to->probe(milliseconds{500}), HasSubstr("Connection refused"));
}

// Each codec of the library, through the table that users write (trap K16).
TEST_F(kafka_publisher_test, passes_properties_of_the_library_on) {
    for (const char* codec : {"gzip", "snappy", "lz4", "zstd"}) {
        auto options = options_for(server_);
        options.properties["compression.type"] = codec;
        const auto broker = make_kafka_broker(options);
        EXPECT_EQ(count_of<delivered>(send(*broker->open_publisher(), letters("a", 0, 3))), 3U) << codec;
        EXPECT_THAT(log_of(server_, options.prefix + "shop.order"), ElementsAre("a0", "a1", "a2")) << codec;
    }
}

TEST_F(kafka_publisher_test, publishes_the_first_event_of_a_new_lane_at_once) {
    admin_.create(topic());
    // The library would wait for a second each time; a busy machine does so now and then.
    const auto takes_less = [&] {
        const auto broker = make_kafka_broker(options_);
        const auto to = broker->open_publisher();
        const auto begin = std::chrono::steady_clock::now();
        EXPECT_EQ(count_of<delivered>(send(*to, letters("a", 0, 1))), 1U);
        return std::chrono::steady_clock::now() - begin < milliseconds{900};
    };
    EXPECT_TRUE(eventually(takes_less));
}

// A single node of the tests keeps one copy.
TEST_F(kafka_publisher_test, tells_what_of_the_brokers_settings_can_lose_messages) {
    std::vector<std::string> codes;
    for (const auto& each : make_kafka_broker(options_)->hazards()) codes.push_back(each.code);
    EXPECT_THAT(codes, ElementsAre("KAFKA_ONE_COPY_CONFIRMS", "KAFKA_ONE_COPY"));
}

}  // namespace
}  // namespace sluice::broker::kafka
