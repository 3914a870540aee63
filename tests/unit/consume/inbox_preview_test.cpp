#include "consume/inbox_preview.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "post_fixture.hpp"

namespace {

using namespace std::chrono_literals;
using post::fixture;
using post::moody_database;
using sluice::consume::inbox_preview;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr auto foreign_parcels = "abroad::parcel";
constexpr auto parcel_group = "post.parcel_counter";

TEST(inbox_preview, says_once_which_messages_had_no_mark) {
    const sluice::instant now{1h};
    const std::vector<std::string> asked{"m-1", "m-2", "m-3"};
    const std::vector<std::string> marked{"m-2"};
    inbox_preview preview;
    EXPECT_FALSE(preview.take("m-1", now));
    preview.learn(asked, marked, now);
    EXPECT_TRUE(preview.take("m-1", now));
    EXPECT_FALSE(preview.take("m-1", now)) << "this may be a copy of the first";
    EXPECT_FALSE(preview.take("m-2", now)) << "marked";
    EXPECT_FALSE(preview.take("m-9", now)) << "nobody asked";
    preview.forget("m-3");
    EXPECT_FALSE(preview.take("m-3", now)) << "a copy of it was handled";
    EXPECT_EQ(preview.size(), 0U);
}

TEST(inbox_preview, counts_for_a_second) {
    const sluice::instant now{1h};
    const std::vector<std::string> asked{"m-1", "m-2"};
    inbox_preview preview;
    preview.learn(asked, {}, now);
    EXPECT_TRUE(preview.take("m-1", now + 1s));
    EXPECT_FALSE(preview.take("m-2", now + 1001ms));

    preview.learn(asked, {}, now);
    preview.learn({}, {}, now + 2s);
    EXPECT_EQ(preview.size(), 0U) << "what is never taken does not stay in memory";
    preview.learn(asked, {}, now);
    preview.forget_all();
    EXPECT_EQ(preview.size(), 0U);
}

TEST(inbox_preview, is_one_look_for_what_a_read_brought) {
    fixture f;
    f.publish_parcels(4);
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->previews, 1);
    EXPECT_EQ(f.database->looks, 0);

    f.publish_parcel("m-5", "p-5");
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->previews, 1) << "one message is asked for when it is handled";
    EXPECT_EQ(f.database->looks, 1);
    EXPECT_THAT(f.hook->seen("parcel_counter"), ElementsAre("p-1", "p-2", "p-3", "p-4", "p-5"));
}

TEST(inbox_preview, does_not_count_for_a_copy_in_the_same_read) {
    fixture f;
    f.publish_parcel("m-1", "p-1");
    f.publish(foreign_parcels, "copy", "abroad::parcel-p-1", post::parcel_arrived("m-1", "p-1"));
    f.publish_parcel("m-2", "p-2");
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_THAT(f.hook->seen("parcel_counter"), ElementsAre("p-1", "p-2")) << "the copy met no handler";
    EXPECT_EQ(f.database->looks, 1);
    EXPECT_EQ(f.stamps("p-1"), 0);
}

TEST(inbox_preview, does_not_count_for_a_second_attempt) {
    fixture f;
    f.publish_parcels(2);
    bool refuses = true;
    f.hook->on_handle([&](const std::string& letter) {
        if (letter == "p-1" && std::exchange(refuses, false)) throw std::runtime_error{"the scales are broken"};
    });
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->looks, 0);
    f.clock.advance(1s);  // the retry is due, and what was learned would still count
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->looks, 1);
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_EQ(f.pending(foreign_parcels, parcel_group), 0);
}

// Between the look and the handler another consumer of the group handles a copy: the commit says so.
TEST(inbox_preview, leaves_a_mark_that_has_come_since_to_the_commit) {
    fixture f;
    f.publish_parcels(2);
    const auto s = f.subscribe();
    f.handle_second_parcel_elsewhere();
    static_cast<void>(s->work());
    EXPECT_EQ(f.stamps("p-2"), 0) << "handled twice, and committed once";
    EXPECT_EQ(f.pending(foreign_parcels, parcel_group), 0);
    EXPECT_THAT(f.traced("message.acked"), ElementsAre("m-1", "m-2"));
    EXPECT_EQ(s->status().failed, 0);
}

TEST(inbox_preview, that_fails_costs_no_attempt) {
    fixture f;
    f.publish_parcels(2);
    f.database->is = moody_database::mood::away;
    const auto s = f.subscribe();
    static_cast<void>(s->work());
    EXPECT_EQ(f.database->previews, 1);
    EXPECT_EQ(s->status().state, "paused");
    f.database->is = moody_database::mood::well;
    f.clock.advance(1min);
    static_cast<void>(s->work());
    EXPECT_EQ(s->status().failed, 0);
    EXPECT_EQ(f.stamps("p-1"), 0);
    EXPECT_EQ(f.stamps("p-2"), 0);
    EXPECT_THAT(f.dead(), IsEmpty());
}

}  // namespace
