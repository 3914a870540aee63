#include "consume/keeping_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
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
    [[nodiscard]] std::vector<sluice::store::kept_counts> kept() {
        return f_.database->open_kept_messages()->counts("default");
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
    EXPECT_THAT(kept(), IsEmpty());
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

TEST_F(keeping_reader, a_crash_behind_the_handler_s_commit_leaves_nothing_of_a_kept_message) {
    fail("p-1", 1);
    f_.publish_parcel("m-1", "p-1");
    {
        const auto s = f_.subscribe();
        static_cast<void>(s->work());
        EXPECT_EQ(kept().size(), 1U);
        f_.clock.advance(1s);
        f_.database->is = post::moody_database::mood::doubtful;  // commits; nobody comes to acknowledge it
        static_cast<void>(s->work());
    }
    EXPECT_EQ(f_.stamps("p-1"), 0);
    EXPECT_THAT(kept(), IsEmpty());
    f_.database->is = post::moody_database::mood::well;
    const auto s = f_.subscribe();
    work(*s);
    EXPECT_THAT(seen(), ElementsAre("p-1", "p-1"));
    EXPECT_EQ(s->status().handled, 0) << "not even as a duplicate";
}

TEST_F(keeping_reader, a_handler_that_commits_nothing_leaves_the_removal_to_the_acknowledgement) {
    fail("p-1", 1);
    f_.publish_parcel("m-1", "p-1");
    const auto s = f_.subscribe();
    static_cast<void>(s->work());
    // Another process has handled the message meanwhile.
    f_.database->open_unit()->commit({.marks = {{.message_id = "m-1", .handler = counter}}, .at = f_.clock.now()});
    work(*s);
    EXPECT_THAT(seen(), ElementsAre("p-1"));
    EXPECT_EQ(s->status().handled, 1);
    EXPECT_THAT(kept(), IsEmpty());
}

TEST_F(keeping_reader, what_its_handler_has_removed_is_not_removed_again) {
    f_.publish_parcel("m-1", "p-1");
    const sluice::broker::membership member{.group = counter, .consumer = "desk-0"};
    sluice::consume::keeping_reader reader{inner_->open_reader({parcels}, member),
                                           f_.database->open_kept_messages(),
                                           {.broker = "default",
                                            .streams = {parcels},
                                            .member = member,
                                            .key_of = [](const auto& of) { return of.key; },
                                            .time = f_.clock}};
    const auto got = reader.read(0, 1, f_.clock.now());
    EXPECT_FALSE(reader.removal_of(0, got.at(0).entry)) << "it is at the broker";
    reader.defer(0, got[0], 1, f_.clock.now());
    const auto removal = reader.removal_of(0, got[0].entry);
    ASSERT_TRUE(removal);
    EXPECT_EQ(removal->owner, member.seat());
    reader.removed(0, got[0].entry);
    reader.ack(0, std::array{got[0].entry});
    EXPECT_THAT(kept(), SizeIs(1)) << "it relies on the handler";
    EXPECT_FALSE(reader.removal_of(0, got[0].entry));
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
