#include "envelope/payload.hpp"

#include <gtest/gtest.h>

#include <sluice/error.hpp>

#include "envelope/envelope.hpp"

namespace {

using sluice::envelope::checksum_of;
using sluice::envelope::payload;
namespace json = sluice::json;

TEST(payload, is_read_once) {
    const payload data{std::string{R"({"b":1,"a":"x"})"}};
    EXPECT_EQ(data.text(), R"({"b":1,"a":"x"})");
    EXPECT_EQ(data.value().at("a"), json::value{"x"});
    const json::value* const part = &data.value().at("a");
    EXPECT_EQ(&data.value().at("a"), part);
}

TEST(payload, has_the_checksum_of_what_it_says) {
    const std::string expected = checksum_of(json::parse(R"({"b":1,"a":"x"})"));
    EXPECT_EQ(payload{std::string{R"({"a":"x","b":1})"}}.checksum(), expected) << "in whatever order";
    const payload made{json::object{{"b", 1}, {"a", "x"}}};
    EXPECT_EQ(made.checksum(), expected);
    EXPECT_EQ(made.text(), R"({"b":1,"a":"x"})");
}

TEST(payload, is_not_read_before_it_is_asked_for) {
    const payload broken{std::string{"{"}};
    EXPECT_EQ(broken.text(), "{");
    EXPECT_THROW(static_cast<void>(broken.value()), sluice::decode_error);
}

}  // namespace
