#include "broker/kafka/delivery_reports.hpp"

#include <atomic>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "broker/kafka/record.hpp"

namespace sluice::broker::kafka {
namespace {

using std::chrono::seconds;

constexpr std::int16_t produce_request = 0;

rd_kafka_resp_err_t count_request(rd_kafka_t* /*instance*/, int /*socket*/, const char* /*broker*/, std::int32_t /*id*/,
                                  std::int16_t kind, std::int16_t /*version*/, std::int32_t /*number*/,
                                  std::size_t /*bytes*/, void* counter) {
    if (kind == produce_request) ++*static_cast<std::atomic<int>*>(counter);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t begin_counting(rd_kafka_t* instance, const rd_kafka_conf_t* /*conf*/, void* counter, char* /*text*/,
                                   std::size_t /*size*/) {
    return rd_kafka_interceptor_add_on_request_sent(instance, "test", count_request, counter);
}

/// A producer of the library's own mock of a broker, whose requests are counted.
class delivery_reports_test : public ::testing::Test {
protected:
    /// It lingers longer than any test takes: nothing leaves by itself.
    delivery_reports_test()
        : by_{client::kind::producer,
              {{"test.mock.num.brokers", "1"}, {"enable.idempotence", "true"}, {"linger.ms", "60000"}},
              [this](rd_kafka_conf_t* conf) {
                  reports_.collect_from(conf);
                  rd_kafka_conf_interceptor_add_on_new(conf, "test", begin_counting, &requests_);
              }} {}

    /// With the tickets 1, 2, …
    void hand_over(std::uint64_t count) {
        const topic_handle to{rd_kafka_topic_new(by_.get(), "orders", nullptr)};
        const outgoing message{.stream = "orders", .message_id = "e1", .key = "k", .body = "{}"};
        for (std::uint64_t ticket = 1; ticket <= count; ++ticket) {
            ASSERT_EQ(produce(by_.get(), to.get(), message, ticket), RD_KAFKA_RESP_ERR_NO_ERROR);
        }
    }

    std::atomic<int> requests_ = 0;
    delivery_reports reports_;
    client by_;
};

TEST_F(delivery_reports_test, send_what_was_handed_over_at_once_and_together) {
    hand_over(200);
    const net::deadline until{seconds{20}};
    std::vector<report> all;
    while (all.size() < 200 && !until.passed()) {
        for (const auto& each : reports_.flush(by_, delivery_reports::wait_for::all, until)) all.push_back(each);
    }
    ASSERT_EQ(all.size(), 200U);
    for (std::size_t i = 0; i < all.size(); ++i) {
        EXPECT_EQ(all[i].ticket, i + 1);
        EXPECT_EQ(all[i].code, RD_KAFKA_RESP_ERR_NO_ERROR);
        EXPECT_EQ(all[i].offset, static_cast<std::int64_t>(i));
    }
    EXPECT_EQ(requests_, 1);
}

TEST_F(delivery_reports_test, wait_no_longer_than_they_may) {
    hand_over(1);
    EXPECT_TRUE(reports_.flush(by_, delivery_reports::wait_for::all, net::deadline{duration{0}}).empty());
    EXPECT_TRUE(reports_.read(by_).empty());
}

}  // namespace
}  // namespace sluice::broker::kafka
