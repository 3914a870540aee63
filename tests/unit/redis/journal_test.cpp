#include "broker/redis/journal.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::redis {
namespace {

using ::testing::ElementsAre;

TEST(redis_journal, reads_what_it_wrote) {
    journal_writer page{18};
    page.add("shop::order", "o-1");
    page.add("shop::order", "2:S3:x\nM");
    page.add("shop::customer", "");
    page.add("shop::order", "o-3");
    const auto back = read_journal_page(page.text());
    ASSERT_TRUE(back);
    EXPECT_EQ(back->number, 18U);
    using item = journal_page::item;
    EXPECT_THAT(back->items, ElementsAre(item{"shop::order", "o-1"}, item{"shop::order", "2:S3:x\nM"},
                                         item{"shop::customer", ""}, item{"shop::order", "o-3"}));
    EXPECT_EQ(page.text().find("shop::order"), page.text().rfind("shop::order", 30)) << "the name is not repeated";
}

TEST(redis_journal, keeps_the_last_pages) {
    EXPECT_EQ(journal_field(0), "b0");
    EXPECT_EQ(journal_field(15), "b15");
    EXPECT_EQ(journal_field(16), "b0");
}

TEST(redis_journal, takes_nothing_for_a_page_that_is_none) {
    for (const char* text :
         {"", "x\n", "1", "1\nM", "1\nM5:abc", "1\nX1:a", "1\nM-1:a", "1\nM99999999999999999999:a"}) {
        EXPECT_FALSE(read_journal_page(text)) << text;
    }
    EXPECT_TRUE(read_journal_page("7\n"));
}

TEST(redis_recollection, knows_messages_with_and_without_their_entry) {
    recollection known;
    known.remember("s", "a", "");
    known.remember("s", "b", "1-0");
    EXPECT_TRUE(known.misses_entries_of("s"));
    EXPECT_FALSE(known.misses_entries_of("t"));
    ASSERT_NE(known.find("s", "a"), nullptr);
    EXPECT_EQ(*known.find("s", "a"), "");
    EXPECT_EQ(known.find("t", "a"), nullptr) << "another stream";

    known.remember("s", "a", "2-0");
    EXPECT_EQ(*known.find("s", "a"), "2-0");
    known.remember("s", "a", "3-0");
    EXPECT_EQ(*known.find("s", "a"), "2-0") << "the first receipt counts";
    EXPECT_FALSE(known.misses_entries_of("s"));
}

TEST(redis_recollection, forgets_what_it_cannot_prove) {
    recollection known;
    known.remember("s", "a", "");
    known.remember("s", "b", "1-0");
    known.forget_without_entries("s");
    EXPECT_EQ(known.find("s", "a"), nullptr);
    EXPECT_NE(known.find("s", "b"), nullptr);
    known.clear();
    EXPECT_EQ(known.find("s", "b"), nullptr);
}

}  // namespace
}  // namespace sluice::broker::redis
