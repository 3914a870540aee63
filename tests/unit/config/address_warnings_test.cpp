#include "config/address_warnings.hpp"

#include <gtest/gtest.h>

#include "config/providers.hpp"
#include "unit/config/configured.hpp"

namespace sluice::config {
namespace {

TEST(address_warnings, find_the_first_host_that_is_not_near) {
    EXPECT_EQ(far_host("localhost:1,127.0.0.1,[::1]:2"), std::nullopt);
    EXPECT_EQ(far_host("localhost:1,[::2]:2,db"), "::2");
    EXPECT_EQ(far_host(""), std::nullopt);
}

TEST(address_warnings, speak_of_every_host_of_every_kind_of_broker) {
    const auto codes_of = [](const char* provider, const std::string& uri) {
        const broker_settings settings = configured_broker(provider, {});
        std::vector<std::string> codes;
        for (const auto& each :
             settings.kind->check_address({.key = "URI", .text = uri, .options = settings.options})) {
            if (each.code == "PLAIN_TEXT") codes.push_back(each.code);
        }
        return codes;
    };
    using codes = std::vector<std::string>;
    const codes warned{"PLAIN_TEXT"};
    EXPECT_EQ(codes_of("kafka", "kafka://me:s3cret@localhost,cache.example:9092"), warned);
    EXPECT_EQ(codes_of("kafka", "kafka://me:s3cret@[::1]:9092"), codes{});
    EXPECT_EQ(codes_of("nats", "nats://me:s3cret@localhost,cache.example"), warned);
    EXPECT_EQ(codes_of("rabbitmq", "amqp://me:s3cret@[fd00::1]"), warned);
    EXPECT_EQ(codes_of("rabbitmq", "amqp://me:s3cret@[::1]:5672"), codes{});
    EXPECT_EQ(codes_of("webhook", "http://[::1]:8080/hook"), codes{});
    EXPECT_EQ(codes_of("webhook", "http://partner.example/hook"), warned);
}

}  // namespace
}  // namespace sluice::config
