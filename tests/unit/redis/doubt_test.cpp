#include "broker/redis/doubt.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/fingerprint.hpp"

namespace sluice::broker::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

/// A message that owns its texts.
struct letter {
    std::string id;
    std::int64_t position = 0;
    std::string stream = "s";
    std::string body = "body of " + id;

    [[nodiscard]] outgoing sent() const {
        return {.stream = stream, .message_id = id, .key = "k", .body = body, .position = position};
    }
};

/// A producer's hash in Redis, and publishers that come and go.
class redis_doubt : public ::testing::Test {
protected:
    /// Publishes a batch as one page under `from`; what is known already is left out.
    std::vector<std::string> publish(doubt& by, const std::vector<letter>& letters, const producer& from = {}) {
        by.begin_batch(from);
        std::vector<std::string> sent;
        auto page = by.new_page();
        for (const auto& each : letters) {
            if (by.recall(each.sent())) continue;
            page.items.push_back({each.stream, each.id, base::fingerprint(each.body)});
            page.position = std::max(page.position, each.position);
            sent.push_back(each.id);
        }
        for (const auto& [field, text] : by.to_store(page)) hash_[field] = text;
        by.stored(page);
        return sent;
    }
    [[nodiscard]] doubt heir() const {
        doubt made;
        made.take_over(hash_);
        return made;
    }
    [[nodiscard]] std::size_t texts() const {
        return static_cast<std::size_t>(
            std::ranges::count_if(hash_, [](const auto& each) { return !each.second.empty(); }));
    }

    doubt::fields hash_;
};

std::vector<letter> letters(int from, int to) {
    std::vector<letter> made;
    for (int i = from; i < to; ++i) made.push_back({.id = fmt::format("m{}", i), .position = i + 1});
    return made;
}

TEST_F(redis_doubt, keeps_every_page_that_is_not_settled_however_many_there_are) {
    doubt first;
    for (int i = 0; i < 100; ++i) {
        publish(first, letters(i, i + 1), {.unsettled_batches = static_cast<std::size_t>(i)});
    }
    EXPECT_EQ(texts(), 100U);
    auto next = heir();
    EXPECT_THAT(publish(next, letters(0, 101)), ElementsAre("m100"));
}

TEST_F(redis_doubt, keeps_no_page_that_is_settled) {
    doubt first;
    for (int i = 0; i < 100; ++i) publish(first, letters(i, i + 1), {.unsettled_batches = i == 0 ? 0U : 1U});
    EXPECT_EQ(texts(), 2U) << "the last, and the one before";
    EXPECT_THAT(hash_, SizeIs(2)) << "their fields are used again";
}

TEST_F(redis_doubt, empties_the_fields_that_are_not_needed_any_more) {
    doubt first;
    for (int i = 0; i < 5; ++i) publish(first, letters(i, i + 1), {.unsettled_batches = 10});
    EXPECT_EQ(texts(), 5U);
    publish(first, letters(5, 6), {.unsettled_batches = 0});
    EXPECT_EQ(texts(), 1U);
}

TEST_F(redis_doubt, of_a_predecessor_lasts_until_the_lane_is_beyond_it) {
    doubt first;
    publish(first, letters(0, 10));
    auto next = heir();
    publish(next, letters(20, 21), {.settled_upto = 9});
    EXPECT_EQ(texts(), 2U) << "the tenth may be asked for still";
    EXPECT_THAT(publish(next, letters(9, 10), {.unsettled_batches = 1, .settled_upto = 9}), IsEmpty());
    publish(next, letters(21, 22), {.settled_upto = 10});
    EXPECT_EQ(texts(), 1U);
    EXPECT_THAT(publish(next, letters(9, 10)), ElementsAre("m9")) << "it is settled: nobody asks";
}

TEST_F(redis_doubt, of_a_predecessor_ends_when_all_was_asked_for_and_settled) {
    doubt first;
    publish(first, letters(0, 3));
    auto next = heir();
    EXPECT_THAT(publish(next, letters(0, 2)), IsEmpty());
    publish(next, letters(2, 4), {.unsettled_batches = 1});
    EXPECT_EQ(texts(), 3U) << "the first three are delivered, but nobody says settled";
    publish(next, letters(4, 5));
    EXPECT_EQ(texts(), 1U);
}

TEST_F(redis_doubt, survives_one_owner_after_the_other) {
    for (int i = 0; i < 50; ++i) {
        auto owner = heir();
        EXPECT_THAT(publish(owner, letters(0, i + 1)), ElementsAre(fmt::format("m{}", i)));
    }
}

TEST_F(redis_doubt, knows_after_a_new_connection_what_was_settled) {
    doubt owner;
    publish(owner, letters(0, 1));
    publish(owner, letters(1, 2));
    owner.take_over(hash_);
    EXPECT_EQ(owner.pages(), 1U);
    publish(owner, letters(2, 3));
    EXPECT_EQ(texts(), 1U);
}

TEST_F(redis_doubt, of_an_older_build_lasts_as_long_as_it_did_there) {
    hash_["b3"] = "7\nS1:sM2:m0";
    auto owner = heir();
    EXPECT_THAT(publish(owner, letters(1, 2)), ElementsAre("m1"));
    EXPECT_THAT(publish(owner, letters(0, 1)), IsEmpty()) << "nobody knows what it was: it counts as the same";
    EXPECT_EQ(hash_.count("b3"), 1U);
    for (int i = 2; i < 30; ++i) publish(owner, letters(i, i + 1));
    EXPECT_EQ(texts(), 1U);
}

TEST_F(redis_doubt, takes_an_equal_id_for_no_equal_message) {
    doubt first;
    publish(first, {{.id = "m", .body = "one"}});
    auto next = heir();
    next.begin_batch({});
    const letter other{.id = "m", .body = "another"};
    EXPECT_FALSE(next.recall(other.sent()));
    EXPECT_EQ(next.namesake(other.sent()), "");
    EXPECT_FALSE(next.namesake(letter{.id = "n"}.sent()));
    EXPECT_EQ(next.recall(letter{.id = "m", .body = "one"}.sent()), "");
}

TEST_F(redis_doubt, learns_entries_from_the_stream) {
    doubt first;
    publish(first, {{.id = "m", .body = "one"}, {.id = "n", .body = "two"}});
    auto next = heir();
    next.begin_batch({});
    EXPECT_TRUE(next.misses_entries_of("s"));
    EXPECT_FALSE(next.misses_entries_of("t"));
    next.seen("s", "m", "another of this id", "9-0");
    next.seen("s", "m", "one", "5-0");
    EXPECT_EQ(next.recall(letter{.id = "m", .body = "one"}.sent()), "5-0");
    EXPECT_EQ(next.recall(letter{.id = "m", .body = "another of this id"}.sent()), "9-0");
    EXPECT_TRUE(next.misses_entries_of("s"));
    next.saw_all_of("s");
    EXPECT_FALSE(next.recall(letter{.id = "n", .body = "two"}.sent())) << "the stream lost it: rather twice than never";
}

TEST_F(redis_doubt, tells_from_when_on_an_entry_in_doubt_can_be) {
    doubt owner;
    owner.begin_batch({});
    for (const std::uint64_t since : {500U, 300U}) {
        journal_page page = owner.new_page();
        page.since = since;
        page.items.push_back({"s", fmt::format("m{}", since), 1});
        for (const auto& [field, text] : owner.to_store(page)) hash_[field] = text;
        owner.stored(page);
    }
    auto next = heir();
    EXPECT_EQ(next.oldest_of("s"), 300U);
    EXPECT_EQ(next.oldest_of("t"), 0U);
}

TEST_F(redis_doubt, of_a_former_lane_is_known_and_left_alone) {
    doubt former;
    publish(former, letters(0, 2));
    doubt owner;
    owner.take_over({});
    owner.look_into(hash_);
    owner.begin_batch({});
    EXPECT_TRUE(owner.recall(letters(1, 2).front().sent()));
    EXPECT_THAT(owner.to_store(owner.new_page()), ElementsAre(Pair("b0", ::testing::_)));
}

}  // namespace
}  // namespace sluice::broker::redis
