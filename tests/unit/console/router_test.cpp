#include "console/router.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include <sluice/error.hpp>

#include "operate/request_error.hpp"

namespace sluice::console {
namespace {

router some_routes() {
    router routes;
    routes.add({.method = "GET", .path = "/console/{context}/rows"});
    routes.add({.method = "POST", .path = "/console/{context}/rows/retry"});
    routes.add({.method = "GET", .path = "/console/{context}/{kind}/{id}"});
    return routes;
}

TEST(console_router, finds_by_method_and_segments) {
    const router routes = some_routes();
    const route_match rows = routes.find("GET", {"console", "shop", "rows"});
    ASSERT_NE(rows.found, nullptr);
    EXPECT_EQ(rows.path.at("context"), "shop");
    EXPECT_EQ(routes.find("GET", {"console", "shop", "m", "a/b"}).path.at("id"), "a/b");
    EXPECT_EQ(routes.find("POST", {"console", "shop", "rows"}).found, nullptr);
    EXPECT_EQ(routes.find("POST", {"console", "shop", "rows"}).allowed, "GET, HEAD");
    EXPECT_EQ(routes.find("GET", {"console"}).allowed, "");
    EXPECT_EQ(routes.find("GET", {}).found, nullptr);
}

TEST(console_judge, gives_each_error_its_status_and_tells_nothing_of_a_defect) {
    EXPECT_EQ(judge(operate::wrong_request("no")).status, 400U);
    EXPECT_EQ(judge(operate::not_found("no")).status, 404U);
    EXPECT_EQ(judge(operate::conflict("x", "no")).status, 409U);
    EXPECT_EQ(judge(decode_error{"no"}).status, 400U);
    EXPECT_EQ(judge(store_error{"away"}).status, 503U);
    EXPECT_EQ(judge(validation_error{"Ship", {{"a", "is required"}}}).status, 422U);
    const failure_view defect = judge(std::runtime_error{"password=hunter2"});
    EXPECT_EQ(defect.status, 500U);
    EXPECT_EQ(defect.text.find("hunter2"), std::string::npos);
}

TEST(console_time_in, is_a_time_or_a_day) {
    EXPECT_EQ(time_in("", "before"), std::nullopt);
    EXPECT_EQ(time_in("2026-11-29T08:00:00+01:00", "before"), date_time::parse("2026-11-29T07:00:00Z"));
    EXPECT_EQ(time_in("2026-11-29", "before"), date_time::parse("2026-11-29T00:00:00Z"));
    for (const char* wrong : {"yesterday", "2026-13-01", "2026-11-29T", "T"}) {
        EXPECT_THROW(static_cast<void>(time_in(wrong, "before")), operate::request_error) << wrong;
    }
}

TEST(console_number_in, is_bounded) {
    EXPECT_EQ(number_in("", "limit", 50, 500), 50U);
    EXPECT_EQ(number_in("500", "limit", 50, 500), 500U);
    for (const char* wrong : {"0", "501", "-1", "1e3", "99999999999999999999", " 1"}) {
        EXPECT_THROW(static_cast<void>(number_in(wrong, "limit", 50, 500)), operate::request_error) << wrong;
    }
}

}  // namespace
}  // namespace sluice::console
