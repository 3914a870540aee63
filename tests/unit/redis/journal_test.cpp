#include "broker/redis/journal.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::redis {
namespace {

using ::testing::ElementsAre;
using item = journal_page::item;

TEST(redis_journal, reads_what_it_wrote) {
    const std::vector<item> items{{"shop::order", "o-1", 7},
                                  {"shop::order", "2:S3:x\nM", 0},
                                  {"shop::customer", "", 18'446'744'073'709'551'615U},
                                  {"shop::order", "o-3"}};
    const auto text = write_journal_page({.number = 18, .position = 12, .since = 1'780'000'000'000, .items = items});
    const auto back = read_journal_page(text);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->number, 18U);
    EXPECT_EQ(back->position, 12);
    EXPECT_EQ(back->since, 1'780'000'000'000U);
    EXPECT_EQ(back->items, items);
    EXPECT_EQ(text.find("shop::order"), text.rfind("shop::order", 50)) << "the name is not repeated";
}

TEST(redis_journal, reads_the_pages_of_older_builds) {
    const auto page = read_journal_page("18\nS5:s::oxM3:o-1M3:o-2");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->number, 18U);
    EXPECT_EQ(page->position, 0);
    EXPECT_THAT(page->items, ElementsAre(item{"s::ox", "o-1"}, item{"s::ox", "o-2"}));
    EXPECT_TRUE(read_journal_page("7\n"));
}

TEST(redis_journal, takes_nothing_for_a_page_that_is_none) {
    for (const char* text : {"", "x\n", "1", "1\nM", "1\nM5:abc", "1\nX1:a", "1\nM-1:a", "1\nM99999999999999999999:a",
                             "1\n2", "1\n2\n3", "1\n2\n3\nC1:7", "1\n2\n3\nM1:aC1:x", "1\n2\n3\nM1:aC2:7"}) {
        EXPECT_FALSE(read_journal_page(text)) << text;
    }
}

}  // namespace
}  // namespace sluice::broker::redis
