#include "broker/nats/group_register.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::nats {
namespace {

using std::chrono::seconds;

const membership us{.group = "g", .consumer = "shop-0", .claim = seconds{30}, .process = {.id = "1", .place = "here"}};

register_entry held_by(const std::string& consumer, const incarnation& process) {
    return {.stream = "shop::order", .group = "g", .consumer = consumer, .process = process, .claim = seconds{30}};
}

TEST(nats_group_register, gives_a_lease_that_nobody_holds) {
    EXPECT_EQ(next_lease_step(us, {}, seconds{0}), lease_step::take);
    EXPECT_EQ(next_lease_step(us, held_by("", {}), seconds{0}), lease_step::take);
}

TEST(nats_group_register, gives_at_once_what_the_same_process_or_its_predecessor_held) {
    EXPECT_EQ(next_lease_step(us, held_by("shop-0", {"1", "here"}), seconds{0}), lease_step::take);
    EXPECT_EQ(next_lease_step(us, held_by("shop-0", {"0", "here"}), seconds{0}), lease_step::take);
}

TEST(nats_group_register, leaves_it_to_others_until_they_were_silent_for_their_claim_time) {
    EXPECT_EQ(next_lease_step(us, held_by("shop-1", {"7", "there"}), seconds{30}), lease_step::stand_by);
    EXPECT_EQ(next_lease_step(us, held_by("shop-1", {"7", "there"}), seconds{31}), lease_step::take);
    EXPECT_EQ(next_lease_step(us, held_by("shop-0", {"7", "there"}), seconds{30}), lease_step::stand_by_as_namesake);
    EXPECT_EQ(next_lease_step(us, held_by("shop-0", {"7", ""}), seconds{31}), lease_step::take);
}

TEST(nats_group_register, reads_what_it_writes) {
    auto entry = held_by("shop-0", {"1", "here"});
    entry.domain = "shop";
    entry.renamed_from = "old";
    entry.at = date_time::from_micros(1'780'000'000'000'000);
    const auto read = read_register_entry(write_register_entry(entry));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->stream, "shop::order");
    EXPECT_EQ(read->domain, "shop");
    EXPECT_EQ(read->process.place, "here");
    EXPECT_EQ(read->claim, seconds{30});
    EXPECT_EQ(read->renamed_from, "old");
    EXPECT_EQ(read->at, entry.at);
    for (const auto* text : {"", "x", "[]", "{}", R"({"stream":"s","group":"g"})", R"({"stream":1,"group":2})"}) {
        EXPECT_FALSE(read_register_entry(text)) << text;
    }
}

TEST(nats_group_register, names_consumers_so_that_two_never_share_one) {
    EXPECT_EQ(consumer_name("g", "shop::order"), "g=40shop=3A=3Aorder");
    EXPECT_NE(consumer_name("a.b", "s"), consumer_name("a_b", "s"));
    const std::string long_group(400, 'x');
    EXPECT_LE(consumer_name(long_group, "one").size(), 255U);
    EXPECT_NE(consumer_name(long_group, "one"), consumer_name(long_group, "two"));
}

}  // namespace
}  // namespace sluice::broker::nats
