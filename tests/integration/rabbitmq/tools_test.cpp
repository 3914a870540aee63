// The tools of the field read what we write, and write what we read.

#include <filesystem>

#include "integration/rabbitmq/rabbitmq_fixture.hpp"
#include "support/shell.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

using ::testing::ElementsAre;

class rabbitmq_tools : public rabbitmq_test {};

TEST_F(rabbitmq_tools, amqp_consume_reads_what_is_published) {
    const auto queue = exchange_ + "-tool";
    make_queue(queue, "shop.order");
    const std::string body = "{\"n\": 1, \"text\": \"\xE2\x82\xAC\"}";
    ASSERT_EQ(told(publish(*broker_->open_publisher(), {{.id = "m1", .body = body}}).at(0)), "delivered");
    const auto got = sluice::testing::run_command("amqp-consume -u " + sluice::testing::shell_word(node_.uri()) +
                                                  " -q " + sluice::testing::shell_word(queue) + " -c 1 cat");
    delete_queue(queue);
    EXPECT_EQ(got, body);
}

TEST_F(rabbitmq_tools, amqp_publish_writes_what_is_read) {
    sluice::testing::run_command("amqp-publish -u " + sluice::testing::shell_word(node_.uri()) + " -e " +
                                 sluice::testing::shell_word(exchange_) +
                                 " -r shop.order -p -C application/json -b '{\"from\":\"elsewhere\"}'");
    std::vector<delivery> got;
    base::wake_signal nobody;
    ASSERT_TRUE(sluice::testing::eventually([&] {
        static_cast<void>(audit_->wait(nobody, milliseconds{20}));
        got = audit_->read(0, 10, {});
        return !got.empty();
    }));
    EXPECT_EQ(got.at(0).body, "{\"from\":\"elsewhere\"}");
    EXPECT_EQ(got.at(0).content_type, "application/json");
    EXPECT_EQ(got.at(0).key, "");
}

TEST_F(rabbitmq_tools, rabbitmqctl_shows_the_queue_as_it_is_documented) {
    const auto listed = node_.ctl({"list_queues", "name", "type", "durable", "arguments"});
    const auto begin = listed.find(exchange_ + "-audit.shop.order");
    ASSERT_NE(begin, std::string::npos);
    const auto line = listed.substr(begin, listed.find('\n', begin) - begin);
    EXPECT_THAT(line, ::testing::AllOf(::testing::HasSubstr("quorum"), ::testing::HasSubstr("true"),
                                       ::testing::HasSubstr("x-single-active-consumer")));
}

/// The official client for Python.
class pika : public rabbitmq_tools {
protected:
    void SetUp() override {
        if (std::filesystem::exists(PIKA_ENVIRONMENT "/unavailable")) GTEST_SKIP() << "no package index";
    }
    static std::string run(const strings& words) {
        std::string command =
            sluice::testing::shell_word(PIKA_ENVIRONMENT "/bin/python") + " " + sluice::testing::shell_word(PIKA_PEER);
        for (const auto& each : words) command += " " + sluice::testing::shell_word(each);
        return sluice::testing::run_command(command);
    }
};

TEST_F(pika, reads_properties_and_headers_as_they_are_documented) {
    const auto queue = exchange_ + "-pika";
    make_queue(queue, "shop.order");
    const auto sent =
        publish(*broker_->open_publisher(),
                {{.id = "m1", .body = "{}", .head = {{"traceparent", "00-1"}, {"ce-id", "\xE2\x82\xAC"}}}});
    const auto got = run({"get", node_.uri(), queue});
    delete_queue(queue);
    ASSERT_THAT(told(sent), ElementsAre("delivered"));
    EXPECT_EQ(got, R"({"body": "{}", "content_type": "application/json", "delivery_mode": 2, "exchange": ")" +
                       exchange_ +
                       R"(", "headers": {"cloudEvents:id": "\u20ac", "sluice-key": "shop::order-1", )"
                       R"("traceparent": "00-1"}, "message_id": "m1", "routing_key": "shop.order"})");
}

TEST_F(pika, writes_what_is_read) {
    run({"put", node_.uri(), exchange_, "shop.order"});
    std::vector<delivery> got;
    base::wake_signal nobody;
    ASSERT_TRUE(sluice::testing::eventually([&] {
        static_cast<void>(audit_->wait(nobody, milliseconds{20}));
        got = audit_->read(0, 10, {});
        return !got.empty();
    }));
    EXPECT_EQ(got[0].body, "from pika");
    EXPECT_EQ(got[0].key, "shop::order-7");
    EXPECT_EQ(got[0].content_type, "text/plain");
    using envelope::header;
    EXPECT_THAT(got[0].head, ::testing::UnorderedElementsAre(header{"ce-subject", "\xE2\x82\xAC \"%\""},
                                                             header{"ce-source", "/shop"}, header{"number", "17"},
                                                             header{"truth", "true"}));
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
