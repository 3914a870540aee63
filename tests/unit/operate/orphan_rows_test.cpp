#include "operate/orphan_rows.hpp"

#include <gtest/gtest.h>

namespace sluice::operate {
namespace {

using store::row_status;

store::outbox_counts counts(row_status status, std::int64_t count) {
    store::outbox_counts result;
    result.by_status[status] = count;
    return result;
}

TEST(orphan_rows, names_brokers_that_no_lane_serves) {
    config::outbox_settings outbox;
    outbox.external_brokers = {"partner"};
    const auto found = find_orphan_rows(outbox, "default",
                                        {{"default", counts(row_status::pending, 1)},
                                         {"partner", counts(row_status::failed, 2)},
                                         {"old", counts(row_status::failed, 3)},
                                         {"older", counts(row_status::abandoned, 4)},
                                         {"oldest", counts(row_status::published, 5)}});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].broker, "old");
    EXPECT_EQ(found[0].open, 3);
}

TEST(orphan_rows, the_finding_says_how_to_get_rid_of_them) {
    const config::finding found = to_finding(orphan_rows{"default", "old", 1});
    EXPECT_EQ(found.level, config::severity::warning);
    EXPECT_EQ(found.code, "ORPHANED_ROWS");
    EXPECT_EQ(found.message,
              "1 row outstanding in database default for broker \"old\", which the outbox no longer serves");
    EXPECT_NE(found.remedy.find("sluice outbox retire old"), std::string::npos);
}

}  // namespace
}  // namespace sluice::operate
