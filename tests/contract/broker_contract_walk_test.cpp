#include <optional>
#include <string>
#include <vector>

#include "contract/broker_contract.hpp"

// What an audit reads of a broker.
namespace sluice::broker::contract {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Messages as Sluice writes them, `{prefix}0`, … of one key.
std::vector<note> envelopes(const std::string& prefix, int n, const std::string& stream = "shop::order") {
    std::vector<note> made;
    for (int i = 0; i < n; ++i) {
        const auto id = prefix + std::to_string(i);
        made.push_back({.id = id,
                        .key = "shop::order-1",
                        .body = R"({"data":{},"metadata":{"headers":{"id":")" + id + "\"}}}",
                        .stream = stream});
    }
    return made;
}

std::vector<std::string> ids_of(stream_walk& walk, std::size_t at_once = 100) {
    std::vector<std::string> ids;
    for (auto page = walk.next(at_once); !page.empty(); page = walk.next(at_once)) {
        EXPECT_LE(page.size(), at_once);
        for (const auto& each : page) ids.push_back(each.message_id);
    }
    return ids;
}

TEST_P(broker_contract, walks_through_one_stream_in_its_order) {
    const auto operations = broker_->open_operations();
    if (!broker_->can().walks) {
        EXPECT_EQ(operations->walk("shop::order", std::nullopt), nullptr);
        return;
    }
    EXPECT_THAT(ids_of(*operations->walk("shop::order", std::nullopt)), IsEmpty()) << "there is no stream yet";
    deliver(*broker_, envelopes("a", 3));
    deliver(*broker_, envelopes("x", 2, "shop::customer"));
    deliver(*broker_, envelopes("b", 2));
    const auto walk = operations->walk("shop::order", std::nullopt);
    EXPECT_THAT(ids_of(*walk, 2), ElementsAre("a0", "a1", "a2", "b0", "b1"));
    EXPECT_THAT(walk->next(2), IsEmpty()) << "it stays at its end";
    EXPECT_THAT(ids_of(*operations->walk("shop::customer", std::nullopt)), ElementsAre("x0", "x1"));
}

TEST_P(broker_contract, walks_come_to_an_end_while_messages_come) {
    if (!broker_->can().walks) return;
    deliver(*broker_, envelopes("a", 3));
    const auto operations = broker_->open_operations();
    const auto walk = operations->walk("shop::order", std::nullopt);
    EXPECT_THAT(walk->next(1), SizeIs(1));
    int rounds = 0;
    for (; rounds < 20 && !walk->next(1).empty(); ++rounds) {
        deliver(*broker_, envelopes("more" + std::to_string(rounds) + "-", 3));
    }
    EXPECT_LT(rounds, 20);
}

TEST_P(broker_contract, walks_are_nothing_that_a_group_notices) {
    if (!broker_->can().walks) return;
    deliver(*broker_, envelopes("a", 4));
    const auto in = join("g", "c");
    std::vector<delivery> got;
    // A broker in the distance hands them over when they have come.
    for (int i = 0; i < 1000 && got.size() < 2; ++i) {
        for (auto& each : in->read(2 - got.size(), noon)) got.push_back(std::move(each));
    }
    ASSERT_THAT(got, SizeIs(2));
    const auto operations = broker_->open_operations();
    const auto known = operations->known_groups();
    EXPECT_THAT(ids_of(*operations->walk("shop::order", std::nullopt)), ElementsAre("a0", "a1", "a2", "a3"));
    EXPECT_EQ(operations->known_groups(), known);
    in->ack(entries_of(got));
    std::vector<delivery> rest;
    for (int i = 0; i < 1000 && rest.size() < 2; ++i) {
        for (auto& each : in->read(10, noon)) rest.push_back(std::move(each));
    }
    EXPECT_THAT(rest, SizeIs(2)) << "the group has what it had not read";
}

TEST_P(broker_contract, walks_begin_where_they_are_told_to_or_at_the_first_entry) {
    if (!broker_->can().walks) return;
    deliver(*broker_, envelopes("a", 3));
    const auto operations = broker_->open_operations();
    EXPECT_THAT(ids_of(*operations->walk("shop::order", date_time{})), SizeIs(3));
    EXPECT_THAT(ids_of(*operations->walk("shop::order", date_time::parse("2199-01-01T00:00:00Z"))),
                AnyOf(IsEmpty(), SizeIs(3)));
}

TEST_P(broker_contract, walks_know_that_retention_has_removed_nothing) {
    if (!broker_->can().walks) return;
    const auto sent = publish(*broker_->open_publisher(), envelopes("a", 2));
    const auto operations = broker_->open_operations();
    const auto walk = operations->walk("shop::order", std::nullopt);
    EXPECT_THAT(ids_of(*walk), SizeIs(2));
    for (const auto& each : sent) {
        ASSERT_TRUE(is<delivered>(each));
        EXPECT_FALSE(walk->has_expired(std::get<delivered>(each).receipt, noon)) << std::get<delivered>(each).receipt;
    }
    EXPECT_FALSE(operations->walk("shop::nothing", std::nullopt)->has_expired("1-0", noon));
}

}  // namespace
}  // namespace sluice::broker::contract
