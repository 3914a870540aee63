#include "broker/nats/jetstream.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::nats {
namespace {

TEST(nats_jetstream, tells_answers_from_errors) {
    EXPECT_TRUE(std::holds_alternative<json::value>(read_answer(R"({"total":1})")));
    const auto error =
        std::get<api_error>(read_answer(R"({"error":{"code":404,"err_code":10059,"description":"stream not found"}})"));
    EXPECT_EQ(error.code, 404);
    EXPECT_EQ(error.error_code, error_codes::stream_not_found);
    EXPECT_EQ(error.text, "stream not found");
    EXPECT_EQ(std::get<api_error>(read_answer(R"({"error":"odd"})")).text, "an error");
}

TEST(nats_jetstream, calls_what_is_no_answer_an_outage) {
    for (const auto* text : {"", "-ERR", R"({"error":{"code":1.5}})"}) {
        EXPECT_THROW(static_cast<void>(read_answer(text)), outage) << text;
    }
}

TEST(nats_jetstream, finds_headers_in_a_block) {
    const std::string block = "NATS/1.0\r\nNats-Msg-Id:  shop::order-1-1.1\r\nsluice-key: k\r\n\r\n";
    EXPECT_EQ(header_in(block, "Nats-Msg-Id"), "shop::order-1-1.1");
    EXPECT_EQ(header_in(block, "sluice-key"), "k");
    EXPECT_EQ(header_in(block, "key"), "");
    EXPECT_EQ(header_in("", "x"), "");
    EXPECT_EQ(header_in("Nats-Msg-Id:", "Nats-Msg-Id"), "");
}

TEST(nats_jetstream, names_a_stream_by_its_subject) {
    EXPECT_EQ(stream_name_for("shop.order-backfill"), "shop_order-backfill");
}

}  // namespace
}  // namespace sluice::broker::nats
