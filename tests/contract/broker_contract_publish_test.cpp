#include <set>
#include <thread>

#include <fmt/format.h>

#include "contract/broker_contract.hpp"

namespace sluice::broker::contract {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string receipt(const verdict& v) { return std::get<delivered>(v).receipt; }

TEST_P(broker_contract, answers_each_message_once_and_in_order) {
    const auto to = broker_->open_publisher();
    const auto verdicts = publish(*to, {{"a", "k1"}, {"b", "k2", ""}, {"c", "k3"}});
    ASSERT_THAT(verdicts, SizeIs(3));
    EXPECT_TRUE(is<delivered>(verdicts[0]));
    EXPECT_TRUE(is<refused>(verdicts[1]));
    EXPECT_TRUE(is<delivered>(verdicts[2]));
    EXPECT_NE(receipt(verdicts[0]), receipt(verdicts[2]));
    EXPECT_THAT(publish(*to, {}), IsEmpty());
    EXPECT_EQ(to->probe(second), "");
}

TEST_P(broker_contract, keeps_the_order_of_publishing) {
    if (!GetParam().orders_across_keys) GTEST_SKIP() << "it keeps the order of each key";
    std::vector<std::string> expected;
    const auto to = broker_->open_publisher();
    for (int batch = 0; batch < 5; ++batch) {
        const auto sent = notes("b" + std::to_string(batch) + "-", 20, 3);
        for (const auto& n : sent) expected.push_back(n.body);
        for (const auto& v : publish(*to, sent)) ASSERT_TRUE(is<delivered>(v));
    }
    EXPECT_EQ(everything_in(*broker_), expected);
}

TEST_P(broker_contract, keeps_streams_apart) {
    deliver(*broker_, {{"a", "k", "1"}, {"b", "k", "2", "shop::order:backfill"}});
    EXPECT_THAT(everything_in(*broker_), ElementsAre("1"));
    EXPECT_THAT(everything_in(*broker_, "shop::order:backfill"), ElementsAre("2"));
}

TEST_P(broker_contract, recognises_what_it_has) {
    if (!GetParam().deduplicates) GTEST_SKIP() << "it recognises only what a lost connection left in doubt";
    const auto first = publish(*broker_->open_publisher(), {{"a", "k", "1"}, {"b", "k", "2"}});
    const auto again = publish(*broker_->open_publisher(), {{"b", "k", "2"}, {"b", "k", "2"}, {"c", "k", "3"}});
    EXPECT_EQ(receipt(again.at(0)), receipt(first.at(1)));
    EXPECT_EQ(receipt(again.at(1)), receipt(first.at(1)));
    EXPECT_THAT(everything_in(*broker_), ElementsAre("1", "2", "3"));
}

/// An event of the wire format; those of one id and another number are of another history.
std::string event(std::string_view id, int number) {
    return fmt::format(R"({{"data":{{"n":{}}},"metadata":{{"headers":{{"id":"{}","type":"Shop.X.v1"}}}}}})", number,
                       id);
}

TEST_P(broker_contract, takes_another_message_of_an_id_that_it_has_for_a_message_of_its_own) {
    if (!GetParam().recognises_copies) GTEST_SKIP() << "it knows what is on its way, and nothing that it took before";
    const auto first = publish(*broker_->open_publisher(), {{"a", "k", event("a", 1)}, {"b", "k", event("b", 1)}});
    const auto other = publish(*broker_->open_publisher(), {{"a", "k", event("a", 2)}, {"b", "k", event("b", 1)}});
    ASSERT_TRUE(is<delivered>(other.at(0)));
    EXPECT_NE(receipt(other.at(0)), receipt(first.at(0)));
    EXPECT_EQ(receipt(other.at(1)), receipt(first.at(1))) << "that is a copy";

    const auto copies = publish(*broker_->open_publisher(), {{"a", "k", event("a", 2)}, {"a", "k", event("a", 1)}});
    EXPECT_EQ(receipt(copies.at(0)), receipt(other.at(0))) << "each of the two has copies of its own";
    EXPECT_EQ(receipt(copies.at(1)), receipt(first.at(0)));
    EXPECT_THAT(everything_in(*broker_), ElementsAre(event("a", 1), event("b", 1), event("a", 2)));
}

TEST_P(broker_contract, takes_the_same_event_in_another_envelope_for_a_copy) {
    if (!GetParam().recognises_copies) GTEST_SKIP() << "it knows what is on its way, and nothing that it took before";
    const std::string inside = R"({"data":{"n":1},"metadata":{"headers":{"id":"a","type":"Shop.X.v1"}}})";
    const std::string outside = R"({"data":{"n":1},"metadata":{"headers":{"id":"a","type":"Shop.X.v1"},)"
                                R"("extensions":{"tenant":"acme"}}})";
    const auto first = publish(*broker_->open_publisher(), {{"a", "k", inside}});
    EXPECT_EQ(receipt(publish(*broker_->open_publisher(), {{"a", "k", outside}}).at(0)), receipt(first.at(0)));
    EXPECT_THAT(everything_in(*broker_), ElementsAre(inside));
}

TEST_P(broker_contract, knows_one_id_in_two_streams_as_two_messages) {
    deliver(*broker_, {{"a", "k", "1"}, {"a", "k", "2", "shop::order:backfill"}});
    EXPECT_THAT(everything_in(*broker_), ElementsAre("1"));
    EXPECT_THAT(everything_in(*broker_, "shop::order:backfill"), ElementsAre("2"));
}

TEST_P(broker_contract, sends_nothing_of_a_key_after_a_refusal) {
    const auto to = broker_->open_publisher();
    const auto verdicts =
        publish(*to, {{"a", "k1", "1"}, {"b", "k1", ""}, {"c", "k1", "3"}, {"d", "k2", "4"}, {"e", "k1", "5"}});
    EXPECT_TRUE(is<delivered>(verdicts.at(0)));
    EXPECT_TRUE(is<refused>(verdicts.at(1)));
    EXPECT_TRUE(is<unreachable>(verdicts.at(2)));
    EXPECT_TRUE(is<delivered>(verdicts.at(3)));
    EXPECT_TRUE(is<unreachable>(verdicts.at(4)));
    EXPECT_THAT(everything_in(*broker_), ElementsAre("1", "4"));

    EXPECT_TRUE(is<delivered>(publish(*to, {{"c", "k1", "3"}}).at(0))) << "the next batch starts afresh";
}

TEST_P(broker_contract, refuses_for_good_what_it_can_never_keep) {
    const auto to = broker_->open_publisher();
    EXPECT_TRUE(std::get<refused>(publish(*to, {{"a", "k", ""}}).at(0)).permanent);
    EXPECT_TRUE(std::get<refused>(publish(*to, {{"a", "k", "{}", ""}}).at(0)).permanent);

    const auto limit = broker_->can().max_message_bytes;
    if (limit == 0) return;
    EXPECT_TRUE(is<delivered>(publish(*to, {{"fits", "k", std::string(limit, 'x')}}).at(0)));
    const auto refusal = std::get<refused>(publish(*to, {{"big", "k", std::string(limit + 1, 'x')}}).at(0));
    EXPECT_EQ(refusal.code, "message_too_big");
    EXPECT_TRUE(refusal.permanent);
}

TEST_P(broker_contract, refuses_an_older_epoch_of_a_producer) {
    if (!GetParam().fences) GTEST_SKIP() << "it knows no producers";
    ASSERT_TRUE(broker_->can().fences);
    const auto frozen = broker_->open_publisher();
    const auto successor = broker_->open_publisher();
    const std::string lane = "shop-db/partner";
    EXPECT_TRUE(is<delivered>(publish(*frozen, {{"a", "k", "1"}}, {lane, 1}).at(0)));
    EXPECT_TRUE(is<delivered>(publish(*successor, {{"b", "k", "2"}}, {lane, 2}).at(0)));

    const auto verdicts = publish(*frozen, {{"c", "k", "3"}, {"d", "k2", "4"}}, {lane, 1});
    ASSERT_THAT(verdicts, SizeIs(2));
    for (const auto& v : verdicts) {
        EXPECT_THAT(std::get<unreachable>(v).reason, HasSubstr("fenced: a newer owner of lane shop-db/partner"));
    }
    EXPECT_TRUE(is<delivered>(publish(*successor, {{"e", "k", "5"}}, {lane, 2}).at(0)));
    EXPECT_TRUE(is<delivered>(publish(*frozen, {{"f", "k", "6"}}, {"shop-db/default", 1}).at(0))) << "another lane";
    EXPECT_TRUE(is<delivered>(publish(*frozen, {{"g", "k", "7"}}).at(0))) << "unfenced";
    EXPECT_THAT(everything_in(*broker_), ElementsAre("1", "2", "5", "6", "7"));
}

TEST_P(broker_contract, refuses_producers_that_were_replaced) {
    if (!GetParam().fences) GTEST_SKIP() << "it knows no producers";
    ASSERT_TRUE(broker_->can().fences);
    const auto frozen = broker_->open_publisher();
    const auto stranger = broker_->open_publisher();
    EXPECT_TRUE(is<delivered>(publish(*frozen, {{"a", "k", "1"}}, {"shop-db/partner", 3}).at(0)));

    const std::vector<std::string> former{"shop-db/partner", "shop-db/silent"};
    const auto first = broker_->open_publisher();
    const auto second = broker_->open_publisher();
    EXPECT_TRUE(is<delivered>(publish(*first, {{"b", "k", "2"}}, {"shop-db/partner#1/2", 5, former}).at(0)));
    EXPECT_TRUE(is<delivered>(publish(*second, {{"c", "l", "3"}}, {"shop-db/partner#2/2", 4, former}).at(0)));
    EXPECT_TRUE(is<delivered>(publish(*first, {{"d", "k", "4"}}, {"shop-db/partner#1/2", 5, former}).at(0)));

    EXPECT_THAT(std::get<unreachable>(publish(*frozen, {{"e", "k", "5"}}, {"shop-db/partner", 3}).at(0)).reason,
                HasSubstr("fenced: a newer owner of lane shop-db/partner"));
    EXPECT_THAT(std::get<unreachable>(publish(*stranger, {{"f", "k", "6"}}, {"shop-db/silent", 2}).at(0)).reason,
                HasSubstr("fenced"))
        << "it never published before";
    EXPECT_TRUE(
        is<delivered>(publish(*frozen, {{"g", "k", "7"}}, {"shop-db/partner", 6, {"shop-db/partner#1/2"}}).at(0)))
        << "back again";
    EXPECT_THAT(everything_in(*broker_), ElementsAre("1", "2", "3", "4", "7"));
}

TEST_P(broker_contract, refuses_another_owner_of_the_same_epoch_and_tells_who_it_is) {
    if (!GetParam().fences) GTEST_SKIP() << "it knows no producers";
    ASSERT_TRUE(broker_->can().fences);
    const std::string lane = "shop-db/partner";
    const producer known{.name = lane, .epoch = 2, .owner = "a-1", .place = "here", .timeline = 7};
    const producer restored{.name = lane, .epoch = 2, .owner = "b-2", .place = "there", .timeline = 8};
    const auto first = broker_->open_publisher();
    const auto second = broker_->open_publisher();
    EXPECT_TRUE(is<delivered>(publish(*first, {{"a", "k", "1"}}, known).at(0)));
    EXPECT_FALSE(first->rival());

    const auto verdict = publish(*second, {{"b", "k", "2"}}, restored).at(0);
    EXPECT_THAT(std::get<unreachable>(verdict).reason, AllOf(HasSubstr("fenced"), HasSubstr("sluice db adopt")));
    const auto rival = second->rival();
    ASSERT_TRUE(rival);
    EXPECT_EQ(rival->epoch, 2U);
    EXPECT_EQ(rival->owner, "a-1");
    EXPECT_EQ(rival->place, "here");
    EXPECT_EQ(rival->timeline, 7U);
    const auto told = broker_->open_operations()->fence_of(lane);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->owner, "a-1");
    EXPECT_FALSE(broker_->open_operations()->fence_of("shop-db/unheard-of"));

    auto adopted = restored;
    adopted.epoch = 3;
    EXPECT_TRUE(is<delivered>(publish(*second, {{"b", "k", "2"}}, adopted).at(0)));
    EXPECT_FALSE(second->rival());
    EXPECT_TRUE(is<unreachable>(publish(*first, {{"c", "k", "3"}}, known).at(0))) << "the lost history stays out";
    EXPECT_THAT(everything_in(*broker_), ElementsAre("1", "2"));
}

TEST_P(broker_contract, keeps_bodies_byte_for_byte) {
    const std::string every_byte = [] {
        std::string bytes;
        for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
        return bytes;
    }();
    const std::vector<std::string> bodies{every_byte, std::string("\0", 1), std::string("{\"a\":\0}", 7), "\xff\xfe",
                                          std::string(200'000, '\0')};
    std::vector<note> sent;
    for (const auto& body : bodies) sent.push_back({"id" + std::to_string(sent.size()), "k", body});
    deliver(*broker_, sent);
    EXPECT_EQ(everything_in(*broker_), bodies);
}

TEST_P(broker_contract, keeps_keys_for_the_consumer) {
    if (!GetParam().knows_keys) GTEST_SKIP() << "its messages carry no key";
    deliver(*broker_, {{"a", "shop::order-1"}, {"b", ""}});
    const auto got = join("g", "c")->read(10, noon);
    EXPECT_EQ(got.at(0).key, "shop::order-1");
    EXPECT_EQ(got.at(1).key, "");
    EXPECT_EQ(got.at(0).stream, "shop::order");
}

TEST_P(broker_contract, takes_from_many_publishers_at_once) {
    constexpr int publishers = 4;
    constexpr int batches = 10;
    constexpr int size = 20;
    {
        std::vector<std::jthread> threads;
        for (int p = 0; p < publishers; ++p) {
            threads.emplace_back([&, p] {
                const auto to = broker_->open_publisher();
                for (int b = 0; b < batches; ++b) {
                    for (const auto& v : publish(*to, notes(fmt::format("{}/{:02}/", p, b), size))) {
                        ASSERT_EQ(sluice::testing::told(v), "delivered");
                    }
                }
            });
        }
    }
    const auto all = everything_in(*broker_);
    EXPECT_THAT(std::set<std::string>(all.begin(), all.end()), SizeIs(publishers * batches * size));
    for (int p = 0; p < publishers; ++p) {
        std::vector<std::string> expected;
        for (int b = 0; b < batches; ++b) {
            for (const auto& n : notes(fmt::format("{}/{:02}/", p, b), size)) expected.push_back(n.body);
        }
        std::vector<std::string> of_this;
        for (const auto& body : all) {
            if (body.starts_with(std::to_string(p) + "/")) of_this.push_back(body);
        }
        EXPECT_EQ(of_this, expected);
    }
}

}  // namespace
}  // namespace sluice::broker::contract
