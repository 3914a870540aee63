#include "broker/kafka/place_note.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(place_note, comes_back_as_it_was_written) {
    const place_note note{
        .stream = "shop::order:backfill", .domain = "a&b", .next = 120, .done = {102, 103, 104, 110, 119}};
    const auto text = write_note(note, 100);
    EXPECT_EQ(text, "sluice=1&stream=shop%3A%3Aorder%3Abackfill&domain=a%26b&next=20&done=2-4.10.19");
    const auto read = read_note(text, 100);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->stream, note.stream);
    EXPECT_EQ(read->domain, note.domain);
    EXPECT_EQ(read->next, 120);
    EXPECT_EQ(read->done, note.done);
}

TEST(place_note, leaves_out_what_a_commit_does_not_hold) {
    place_note note{.stream = "s", .next = 100'000, .done = {}};
    for (std::int64_t each = 1; each < 100'000; each += 2) note.done.push_back(each);
    const auto text = write_note(note, 0);
    EXPECT_LE(text.size(), 4096U);
    const auto read = read_note(text, 0);
    ASSERT_TRUE(read);
    ASSERT_FALSE(read->done.empty());
    for (const auto each : read->done) EXPECT_EQ(each % 2, 1) << "what is left out comes again, nothing else is lost";
}

TEST(place_note, takes_nothing_from_texts_of_others) {
    EXPECT_FALSE(read_note("", 0));
    EXPECT_FALSE(read_note("stream=x", 0));
    EXPECT_FALSE(read_note("sluice=1&domain=x", 0));
    for (const char* done :
         {"x", "1-", "3-1", "1..2", "-1", "1-99999999999", "5,6", "0-60000.70000-130000", "1.99999999999999999999"}) {
        const auto read = read_note(std::string{"sluice=1&stream=s&done="} + done, 0);
        ASSERT_TRUE(read);
        EXPECT_THAT(read->done, IsEmpty()) << done;
    }
}

}  // namespace
}  // namespace sluice::broker::kafka
