#include "store/postgresql/failure.hpp"

#include <gmock/gmock.h>

namespace sluice::store::postgresql {
namespace {

TEST(failure, tells_what_may_be_tried_again) {
    for (const char* state : {"40001", "40P01", "55P03", "57014", "57P01", "57P03", "53300", "08006", "25006"}) {
        EXPECT_EQ(nature_of(state), error_nature::retryable) << state;
    }
    for (const char* state : {"42P01", "23505", "28P01", "22P02", "", "XX000"}) {
        EXPECT_EQ(nature_of(state), error_nature::permanent) << state;
    }
}

TEST(failure, names_a_remedy) {
    EXPECT_THAT(std::string{remedy_for("42P01")}, ::testing::HasSubstr("sluice db setup"));
    EXPECT_THAT(std::string{remedy_for("53300")}, ::testing::HasSubstr("max_connections"));
    EXPECT_THAT(std::string{remedy_for("53100")}, ::testing::HasSubstr("disk"));
    EXPECT_THAT(std::string{remedy_for("28P01")}, ::testing::HasSubstr("password"));
}

TEST(failure, a_lost_connection_is_worth_another_try_and_says_so_on_one_line) {
    const connection_lost loss{"postgresql shop", "server closed\nthe connection"};
    EXPECT_TRUE(loss.retryable());
    EXPECT_FALSE(loss.in_doubt());
    EXPECT_STREQ(loss.what(),
                 "postgresql shop: server closed the connection; it is connected again with the next call");
}

}  // namespace
}  // namespace sluice::store::postgresql
