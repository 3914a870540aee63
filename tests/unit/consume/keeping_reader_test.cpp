#include "consume/keeping_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "consume/broker_operations.hpp"
#include "post_fixture.hpp"
#include "support/keeperless_broker.hpp"

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto parcels = "abroad::parcel";
constexpr auto counter = "post.parcel_counter";

/// The post office reads from a broker that keeps nothing of what failed.
class keeping_reader : public testing::Test {
protected:
    void fail(const std::string& parcel, int times) {
        f_.hook->on_handle([parcel, left = std::make_shared<int>(times)](const std::string& letter) {
            if (letter == parcel && (*left)-- > 0) throw std::runtime_error{"no room"};
        });
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::operations> operations() {
        return sluice::consume::open_broker_operations(f_.env->parts(), "default");
    }
    /// What the broker itself still has to deliver, or waits for.
    [[nodiscard]] std::int64_t open_at_broker() {
        for (const auto& each : inner_->open_operations()->groups()) {
            if (each.stream == parcels && each.group == counter) return each.pending + each.lag;
        }
        return -1;
    }
    [[nodiscard]] std::vector<std::string> seen() { return f_.hook->seen("parcel_counter"); }
    /// Until nothing is to be done, over all the pauses of failed messages.
    void work(sluice::consume::subscription& s) {
        for (int i = 0; i < 200; ++i) {
            static_cast<void>(s.work());
            f_.clock.advance(1s);
        }
    }

    std::shared_ptr<sluice::broker::broker> inner_ = sluice::broker::make_inline_broker("default");
    post::fixture f_{{}, std::make_shared<sluice::testing::keeperless_broker>(inner_)};
};

TEST_F(keeping_reader, the_broker_goes_on_while_a_key_waits_and_the_key_keeps_its_order) {
    fail("p-1", 1);
    f_.publish_parcel("m-1", "p-1");
    f_.publish(parcels, "m-2", "abroad::parcel-p-1", post::parcel_arrived("m-2", "p-1b"));
    f_.publish_parcel("m-3", "p-3");
    const auto s = f_.subscribe();
    static_cast<void>(s->work());
    EXPECT_THAT(seen(), ElementsAre("p-1", "p-3"));
    f_.publish(parcels, "m-4", "abroad::parcel-p-1", post::parcel_arrived("m-4", "p-1c"));
    f_.clock.advance(200ms);
    static_cast<void>(s->work());
    EXPECT_EQ(open_at_broker(), 1) << "m-2 came before its key had to wait, and is in hand";

    work(*s);
    EXPECT_THAT(seen(), ElementsAre("p-1", "p-3", "p-1", "p-1b", "p-1c"));
    EXPECT_EQ(open_at_broker(), 0);
    EXPECT_THAT(f_.database->open_kept_messages()->counts("default"), IsEmpty());
}

TEST_F(keeping_reader, a_restart_goes_on_with_what_was_kept_before_anything_new_of_the_key) {
    fail("p-1", 1);
    f_.publish_parcel("m-1", "p-1");
    {
        const auto s = f_.subscribe();
        static_cast<void>(s->work());
    }
    f_.publish(parcels, "m-2", "abroad::parcel-p-1", post::parcel_arrived("m-2", "p-1b"));
    EXPECT_EQ(open_at_broker(), 1);
    const auto s = f_.subscribe();
    work(*s);
    EXPECT_THAT(seen(), ElementsAre("p-1", "p-1", "p-1b"));
    EXPECT_EQ(open_at_broker(), 0);
}

TEST_F(keeping_reader, gives_up_into_dead_letters_that_come_back_when_they_are_replayed) {
    fail("p-1", 3);
    f_.publish_parcel("m-1", "p-1");
    f_.publish(parcels, "m-2", "abroad::parcel-p-1", post::parcel_arrived("m-2", "p-1b"));
    f_.publish(parcels, "x-1", "k", "not JSON");
    const auto s = f_.subscribe();
    work(*s);
    EXPECT_THAT(seen(), ElementsAre("p-1", "p-1", "p-1", "p-1b"));
    EXPECT_EQ(open_at_broker(), 0);
    const auto dead = operations()->dead_letters({});
    ASSERT_THAT(dead, SizeIs(2));
    EXPECT_EQ(dead[0].group, counter);
    EXPECT_EQ(dead[0].stream, parcels);
    EXPECT_EQ(operations()->count({.group = counter}), 2U);
    EXPECT_EQ(operations()->purge({.id = dead[1].code == "undecodable" ? dead[1].id : dead[0].id}).changed, 1U);

    EXPECT_EQ(operations()->replay({.group = counter}).changed, 1U);
    work(*s);
    EXPECT_THAT(seen(), ElementsAre("p-1", "p-1", "p-1", "p-1b", "p-1"));
    EXPECT_EQ(f_.stamps("p-1"), 0);
    EXPECT_THAT(operations()->dead_letters({}), IsEmpty());
}

TEST_F(keeping_reader, a_key_that_waits_does_not_fill_the_memory) {
    fail("p-1", 1);
    f_.publish_parcel("m-0", "p-1");
    const auto s = f_.subscribe();
    static_cast<void>(s->work());
    constexpr int behind = 1200;  // more than a subscription holds
    for (int i = 1; i <= behind; ++i) {
        const std::string id = "m-" + std::to_string(i);
        f_.publish(parcels, id, "abroad::parcel-p-1", post::parcel_arrived(id, "b-" + std::to_string(i)));
    }
    f_.publish_parcel("other", "p-2");
    for (int i = 0; i < 100; ++i) static_cast<void>(s->work());
    EXPECT_THAT(seen(), ElementsAre("p-1", "p-2")) << "another key is handled meanwhile";
    EXPECT_LE(s->status().held, 400U);

    work(*s);
    const auto all = seen();
    ASSERT_THAT(all, SizeIs(behind + 3));
    for (int i = 1; i <= behind; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i) + 2], "b-" + std::to_string(i));
    EXPECT_EQ(open_at_broker(), 0);
}

}  // namespace
