#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <set>

#include "contract/store_contract.hpp"

namespace sluice::store::contract {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// The streams of the partner spread over several lanes.
class store_shards : public store_contract {
protected:
    static constexpr auto me = "me";

    /// A session of its own for each lane, as in life.
    struct held_lane {
        lane_session session;
        lease_grant grant{};

        [[nodiscard]] shard part() const { return shard_of(grant.lane); }
    };

    [[nodiscard]] static std::string name_of(int number, int count) {
        return make_lane_name("default", "partner", {number, count});
    }
    [[nodiscard]] held_lane take(int number, int count, const std::string& owner = me, date_time now = at(0)) {
        held_lane taken{.session = store_->open_lane(), .grant = {}};
        auto answer = taken.session.lease->acquire(name_of(number, count), owner, now, ttl);
        if (!answer) throw std::logic_error{answer.obstacle()};
        taken.grant = *answer;
        return taken;
    }
    [[nodiscard]] std::vector<held_lane> take_all(int count, const std::string& owner = me, date_time now = at(0)) {
        std::vector<held_lane> posts;
        for (int number = 1; number <= count; ++number) posts.push_back(take(number, count, owner, now));
        return posts;
    }
    /// Empty when the lane was taken.
    [[nodiscard]] std::string obstacle(const std::string& lane, const std::string& owner, date_time now = at(0)) {
        return store_->open_lease()->acquire(lane, owner, now, ttl).obstacle();
    }
    void release(const held_lane& p) { p.session.lease->release(p.grant, report()); }

    [[nodiscard]] std::set<std::string> lane_names() {
        std::set<std::string> names;
        for (const auto& lane : operations_->lanes()) names.insert(lane.lane);
        return names;
    }
    [[nodiscard]] std::map<std::string, sequence> marks() {
        std::map<std::string, sequence> all;
        for (const auto& lane : operations_->lanes()) all[lane.lane] = lane.mark;
        return all;
    }

    /// `rounds` events of each of `orders` orders, by turns.
    void commit_orders(int orders, int rounds) {
        for (int round = 0; round < rounds; ++round) {
            std::vector<event_write> events;
            for (int order = 0; order < orders; ++order) {
                const auto name = "ö-" + std::to_string(order);
                events.push_back(event(name + "." + std::to_string(round), name));
            }
            commit(std::move(events));
        }
    }
};
SLUICE_FOR_EVERY_STORE(store_shards);

TEST_P(store_shards, share_all_rows_by_stream_and_keep_their_order) {
    commit_orders(12, 5);
    std::set<sequence> seen;
    for (const auto& post : take_all(3)) {
        sequence cursor = 0;
        for (;;) {
            const auto batch = post.session.rows->due(post.grant, "partner", cursor, 4);
            for (const auto& row : batch.rows) {
                EXPECT_GT(row.seq, cursor) << "out of order";
                EXPECT_TRUE(post.part().carries(row.event.stream)) << row.event.stream << " in " << post.grant.lane;
                EXPECT_TRUE(seen.insert(row.seq).second) << row.seq << " travels in two lanes";
                cursor = row.seq;
            }
            cursor = std::max(cursor, batch.upto);
            if (batch.rows.size() < 4 && !batch.more) break;
        }
        EXPECT_EQ(cursor, 60) << "looked no further than " << cursor;
    }
    EXPECT_THAT(seen, SizeIs(60));
}

TEST_P(store_shards, find_as_many_rows_of_their_own_as_asked_for) {
    commit_orders(12, 5);
    for (const auto& post : take_all(3)) {
        const auto batch = post.session.rows->due(post.grant, "partner", 0, 5);
        EXPECT_THAT(batch.rows, SizeIs(5));
        EXPECT_EQ(batch.upto, batch.rows.back().seq);
    }
}

TEST_P(store_shards, need_not_read_the_rows_of_others_again) {
    commit({event("m-1"), event("m-2"), event("m-3")});
    for (const auto& post : take_all(2)) {
        const bool is_mine = post.part().carries("shop::order-o-1");
        const auto batch = post.session.rows->due(post.grant, "partner", 0, 10);
        EXPECT_THAT(batch.rows, SizeIs(is_mine ? 3 : 0));
        EXPECT_EQ(batch.upto, 3);
        EXPECT_EQ(post.session.rows->settle(post.grant, "partner", {}, batch.upto), settle_outcome::settled);
        EXPECT_FALSE(batch.more);
    }
}

TEST_P(store_shards, catch_up_their_streams) {
    commit_orders(2, 3);
    for (const auto& post : take_all(3)) {
        const auto batch = post.session.rows->due_in_stream(post.grant, "partner", "shop::order-ö-1", 0, 6, 10);
        EXPECT_THAT(seqs(batch), ElementsAre(2, 4, 6));
    }
}

TEST_P(store_shards, have_one_owner_each) {
    const auto first = take(1, 2, "me");
    const auto second = take(2, 2, "you");
    EXPECT_EQ(first.grant.epoch, 1U);
    EXPECT_EQ(second.grant.epoch, 1U);
    EXPECT_EQ(obstacle(name_of(1, 2), "you"), "default:partner#1/2 belongs to me");
    EXPECT_EQ(obstacle(name_of(1, 2), "you", at(30)), "");
}

TEST_P(store_shards, of_another_number_wait_until_the_last_of_these_is_free) {
    const auto first = take(1, 2, "me");
    const auto second = take(2, 2, "you", at(10));
    EXPECT_EQ(obstacle(name_of(1, 3), "they"), "default:partner#1/2 belongs to me");
    EXPECT_EQ(obstacle("default:partner", "they"), "default:partner#1/2 belongs to me");
    EXPECT_EQ(obstacle("default:partner", "me"), "default:partner#1/2 belongs to me") << "an owner works on its lane";
    release(first);
    EXPECT_EQ(obstacle(name_of(1, 3), "they", at(39)), "default:partner#2/2 belongs to you");
    EXPECT_EQ(lane_names(), (std::set{name_of(1, 2), name_of(2, 2)}));
    EXPECT_EQ(obstacle("default:default", "they"), "") << "another broker is not concerned";

    EXPECT_EQ(obstacle(name_of(3, 3), "they", at(40)), "");
    EXPECT_EQ(obstacle(name_of(1, 2), "me", at(41)), "default:partner#3/3 belongs to they");
    auto zombie = second.grant;
    EXPECT_FALSE(second.session.lease->renew(zombie, report(), at(41), ttl));
    EXPECT_EQ(second.session.rows->settle(second.grant, "partner", {}, 9), settle_outcome::fenced);
    EXPECT_FALSE(second.session.rows->due(second.grant, "partner", 0, 1).owned);
    release(second);
    EXPECT_EQ(lane_names(), (std::set<std::string>{"default:default", name_of(1, 3), name_of(2, 3), name_of(3, 3)}));
}

TEST_P(store_shards, of_another_database_name_are_another_layout) {
    static_cast<void>(take_lane());
    EXPECT_EQ(obstacle("shop:partner", "you"), "default:partner belongs to me");
    EXPECT_EQ(obstacle("shop:partner", "you", at(30)), "");
    EXPECT_EQ(obstacle("default:partner", "me", at(31)), "shop:partner belongs to you");
}

TEST_P(store_shards, begin_at_the_lowest_mark_of_those_before_them) {
    commit_orders(6, 4);
    auto two = take_all(2);
    EXPECT_EQ(two[0].session.rows->settle(two[0].grant, "partner", {}, 20), settle_outcome::settled);
    EXPECT_EQ(two[1].session.rows->settle(two[1].grant, "partner", {}, 7), settle_outcome::settled);
    for (const auto& post : two) release(post);

    const auto whole = take_lane();
    EXPECT_EQ(whole.mark, 7);
    EXPECT_EQ(lane_.rows->settle(whole, "partner", {}, 15), settle_outcome::settled);
    lane_.lease->release(whole, report());

    for (const auto& post : take_all(4)) EXPECT_EQ(post.grant.mark, 15);
    EXPECT_THAT(marks(), SizeIs(4));
}

TEST_P(store_shards, that_nobody_took_count_as_they_were_made) {
    const auto whole = take_lane();
    commit_orders(6, 4);
    EXPECT_EQ(lane_.rows->settle(whole, "partner", {}, 12), settle_outcome::settled);
    lane_.lease->release(whole, report());
    auto second = take(2, 2);
    EXPECT_EQ(second.session.rows->settle(second.grant, "partner", {}, 24), settle_outcome::settled);
    release(second);
    EXPECT_EQ(take(1, 3).grant.mark, 12) << "the rows of the first shard were nobody's";
}

/// The brokers remember the epochs of a lane's name.
TEST_P(store_shards, never_get_an_epoch_for_the_second_time) {
    std::map<std::string, std::uint64_t> last;
    for (int round = 0; round < 3; ++round) {
        for (const int count : {1, 2, 3}) {
            for (const auto& post : take_all(count, "owner-" + std::to_string(round))) {
                EXPECT_GT(post.grant.epoch, last[post.grant.lane]) << post.grant.lane;
                last[post.grant.lane] = post.grant.epoch;
                release(post);
            }
        }
    }
}

/// The brokers shut them out.
TEST_P(store_shards, know_the_lanes_that_were_there_before) {
    const auto whole = take_lane();
    EXPECT_THAT(whole.former, IsEmpty());
    lane_.lease->release(whole, report());
    for (const auto& each : take_all(2)) {
        EXPECT_THAT(each.grant.former, ElementsAre("default:partner"));
        release(each);
    }
    EXPECT_THAT(take(2, 3, "me", at(1)).grant.former,
                ElementsAre("default:partner", "default:partner#1/2", "default:partner#2/2"));
    const auto back = take(1, 2, "you", at(50));
    EXPECT_THAT(back.grant.former,
                ElementsAre("default:partner", "default:partner#1/3", "default:partner#2/3", "default:partner#3/3"));
}

TEST_P(store_shards, all_look_again_after_a_retry) {
    commit_orders(4, 1);
    auto posts = take_all(2);
    for (const auto& post : posts) {
        EXPECT_EQ(post.session.rows->settle(post.grant, "partner", std::vector{abandoned(1, 3)}, 4),
                  settle_outcome::settled);
    }
    EXPECT_EQ(operations_->retry({.target_broker = "partner"}), 1U);
    for (const auto& post : posts) {
        const auto batch = post.session.rows->due(post.grant, "partner", 4, 10);
        EXPECT_NE(batch.rescan, post.grant.rescan);
        EXPECT_EQ(batch.mark, 0);
        release(post);
    }
    const auto next = take(1, 3);
    EXPECT_EQ(next.grant.mark, 0);
}

TEST_P(store_shards, purge_no_row_that_another_of_them_has_not_passed) {
    commit_orders(12, 2);
    const auto posts = take_all(2);
    std::ptrdiff_t of_the_second = 0;
    for (const auto& post : posts) {
        std::vector<settlement> mine;
        for (const auto& row : post.session.rows->due(post.grant, "partner", 0, 100).rows) {
            mine.push_back(published(row.seq));
        }
        ASSERT_FALSE(mine.empty());
        of_the_second = std::ssize(mine);
        const sequence mark = &post == &posts[0] ? 24 : 0;
        ASSERT_EQ(post.session.rows->settle(post.grant, "partner", mine, mark), settle_outcome::settled);
    }
    const auto purge = [&](const held_lane& post) {
        return post.session.rows->purge(post.grant, "partner", at(100), at(100), 100);
    };
    std::size_t purged = purge(posts[0]) + purge(posts[1]);
    const auto left = operations_->list({.target_broker = "partner", .limit = 100});
    EXPECT_EQ(purged + left.size(), 24U);
    const auto is_of_the_second = [&](const outbox_row& row) { return posts[1].part().carries(row.stream); };
    EXPECT_EQ(std::ranges::count_if(left, is_of_the_second), of_the_second) << "above its mark";

    ASSERT_EQ(posts[1].session.rows->settle(posts[1].grant, "partner", {}, 24), settle_outcome::settled);
    purged += purge(posts[0]) + purge(posts[1]);
    EXPECT_EQ(purged, 24U);
    EXPECT_TRUE(operations_->list({.target_broker = "partner"}).empty());
}

TEST_P(store_shards, purge_nothing_that_would_hide_the_open_rows_of_another) {
    commit_orders(12, 2);
    auto posts = take_all(2);
    std::vector<settlement> mine;
    for (const auto& row : posts[0].session.rows->due(posts[0].grant, "partner", 0, 100).rows) {
        mine.push_back(published(row.seq));
    }
    EXPECT_EQ(posts[0].session.rows->settle(posts[0].grant, "partner", mine, 24), settle_outcome::settled);
    static_cast<void>(posts[0].session.rows->purge(posts[0].grant, "partner", at(100), at(100), 100));
    const auto open = operations_->list({.target_broker = "partner", .status = row_status::pending});
    EXPECT_EQ(open.size(), 24 - mine.size());
    EXPECT_EQ(posts[1].session.rows->due(posts[1].grant, "partner", 0, 100).rows.size(), open.size());
}

TEST_P(store_shards, know_what_former_layouts_have_published) {
    commit_orders(12, 2);
    for (const int count : {1, 2, 3, 1}) {
        auto posts = take_all(count);
        std::size_t published_now = 0;
        for (const auto& post : posts) {
            const auto due = post.session.rows->due(post.grant, "partner", post.grant.mark, 3).rows;
            if (due.empty()) continue;
            // The first stays open and keeps the mark where it is.
            std::vector<settlement> some;
            for (const auto& row : std::span{due}.subspan(1)) some.push_back(published(row.seq));
            published_now += some.size();
            EXPECT_EQ(post.session.rows->settle(post.grant, "partner", some, post.grant.mark), settle_outcome::settled);
        }
        EXPECT_GT(published_now, 0U) << count;
        for (const auto& post : posts) release(post);
    }
    const auto published_rows =
        operations_->list({.target_broker = "partner", .status = row_status::published, .limit = 100});
    const auto whole = take(1, 1);
    const auto rest = whole.session.rows->due(whole.grant, "partner", whole.grant.mark, 100).rows;
    EXPECT_EQ(published_rows.size() + rest.size(), 24U);
    for (const auto& row : rest) EXPECT_EQ(row.status, row_status::pending);
}

TEST_P(store_shards, of_two_numbers_never_have_owners_at_a_time) {
    for (int round = 0; round < 5; ++round) {
        const auto now = at(1000 * round);
        std::atomic<int> ready = 0;
        std::array<std::atomic<int>, 5> taken{};
        std::vector<std::jthread> threads;
        for (int count = 1; count <= 4; ++count) {
            threads.emplace_back([&, count] {
                const auto session = store_->open_lane();
                ++ready;
                while (ready < 4) std::this_thread::yield();
                for (int number = 1; number <= count; ++number) {
                    const auto owner = "of-" + std::to_string(count);
                    if (session.lease->acquire(name_of(number, count), owner, now, ttl)) ++taken.at(std::size_t(count));
                }
            });
        }
        threads.clear();
        int winners = 0;
        for (int count = 1; count <= 4; ++count) {
            const int lanes = taken.at(std::size_t(count));
            winners += lanes > 0 ? 1 : 0;
            EXPECT_TRUE(lanes == 0 || lanes == count) << lanes << " of " << count;
        }
        EXPECT_EQ(winners, 1);
    }
}

}  // namespace
}  // namespace sluice::store::contract
