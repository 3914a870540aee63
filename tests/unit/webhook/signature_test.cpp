#include "broker/webhook/signature.hpp"

#include <gmock/gmock.h>

#include "base/base64.hpp"

namespace sluice::broker::webhook {
namespace {

using ::testing::HasSubstr;

const std::string id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const std::string body = R"({"test": 2432232314})";
const std::string timestamp = "1614265330";
const date_time then = date_time::from_micros(1'614'265'330'000'000);
const signing_keys keys = read_secrets("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
const signing_keys other = read_secrets("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
constexpr duration second = std::chrono::seconds{1};

std::string why(std::string_view signature, const signing_keys& with = keys, date_time now = then) {
    return std::string{why_not_genuine(id, timestamp, signature, body, with, now).value_or("")};
}

TEST(signature, is_that_of_the_specification) {
    EXPECT_EQ(timestamp_text(then), timestamp);
    EXPECT_EQ(sign(id, timestamp, body, keys), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(signature, is_made_with_each_secret) {
    const signing_keys both{other.front(), keys.front()};
    const std::string signature = sign(id, timestamp, body, both);
    EXPECT_EQ(signature, sign(id, timestamp, body, other) + " " + sign(id, timestamp, body, keys));
    EXPECT_EQ(why(signature, keys), "");
    EXPECT_EQ(why(signature, other), "");
    EXPECT_EQ(why(sign(id, timestamp, body, keys), both), "");
}

TEST(signature, holds_for_these_bytes_only) {
    const std::string signature = sign(id, timestamp, body, keys);
    EXPECT_EQ(why_not_genuine(id, timestamp, signature, body, keys, then), std::nullopt);
    EXPECT_NE(why_not_genuine(id, timestamp, signature, body + " ", keys, then), std::nullopt);
    EXPECT_NE(why_not_genuine(id + "x", timestamp, signature, body, keys, then), std::nullopt);
    EXPECT_NE(why_not_genuine(id, "1614265331", signature, body, keys, then), std::nullopt);
    EXPECT_NE(why_not_genuine(id, timestamp, signature, body, other, then), std::nullopt);
    EXPECT_NE(why_not_genuine("", timestamp, sign("", timestamp, body, keys), body, keys, then), std::nullopt);
}

TEST(signature, is_found_among_others) {
    const std::string ours = sign(id, timestamp, body, keys);
    EXPECT_EQ(
        why("v2,abc v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== " +
            ours),
        "");
    EXPECT_EQ(why("v1,AAAA " + ours + " v1,====="), "");
    EXPECT_NE(why("v1," + ours), "");
    EXPECT_NE(why(ours.substr(3)), "") << "without its version";
    EXPECT_NE(why(ours.substr(0, ours.size() - 1)), "");
    EXPECT_NE(why(""), "");
    std::string many;
    for (int i = 0; i < 20; ++i) many += "v1," + base::base64_encode(std::string(32, 'x')) + ' ';
    EXPECT_NE(why(many + ours), "") << "nobody makes us compare without end";
}

TEST(signature, is_as_old_as_clocks_differ_at_most) {
    const std::string ours = sign(id, timestamp, body, keys);
    EXPECT_EQ(why(ours, keys, then + clock_tolerance), "");
    EXPECT_EQ(why(ours, keys, then - clock_tolerance), "");
    EXPECT_THAT(why(ours, keys, then + clock_tolerance + second), HasSubstr("too old"));
    EXPECT_THAT(why(ours, keys, then - clock_tolerance - second), HasSubstr("future"));
}

TEST(signature, has_a_time_of_plain_digits) {
    for (const char* each : {"", "-1", "+1614265330", " 1614265330", "1614265330.0", "0x6037", "16142653301614265330",
                             "1e9", "1614265330 "}) {
        EXPECT_NE(why_not_genuine(id, each, sign(id, each, body, keys), body, keys, then), std::nullopt) << each;
    }
}

}  // namespace
}  // namespace sluice::broker::webhook
