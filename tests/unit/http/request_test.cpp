#include <gtest/gtest.h>

#include "http/server.hpp"

namespace sluice::http {
namespace {

const http_request request{.headers = {{"accept", "a/b;q=0.1"}, {"host", "h"}, {"accept", "c/d"}}};

TEST(http_request_test, a_header_that_was_sent_several_times_has_no_one_value) {
    EXPECT_EQ(request.header("host"), "h");
    EXPECT_EQ(request.header("accept"), "");
    EXPECT_EQ(request.header("else"), "");
}

TEST(http_request_test, a_list_is_one_however_often_it_was_sent) {
    EXPECT_EQ(request.list("accept"), "a/b;q=0.1, c/d");
    EXPECT_EQ(request.list("host"), "h");
    EXPECT_EQ(request.list("else"), "");
}

}  // namespace
}  // namespace sluice::http
