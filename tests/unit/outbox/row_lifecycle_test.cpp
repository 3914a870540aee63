#include "outbox/row_lifecycle.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

#include <sluice/json.hpp>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

const auto now = date_time::parse("2026-11-23T08:00:00+00:00");

class row_lifecycle_test : public testing::Test {
protected:
    std::optional<store::settlement> after(const broker::verdict& verdict, const store::due_row& row) {
        return lifecycle_.after(verdict, row, now, random_);
    }

    static store::due_row fresh_row() {
        store::due_row row;
        row.seq = 12;
        return row;
    }

    base::seeded_random random_{1};
    row_lifecycle lifecycle_{retry_schedule{{.max_attempts = 3, .jitter = false}}};
};

TEST_F(row_lifecycle_test, delivered_becomes_published) {
    auto row = fresh_row();
    row.retry_count = 2;
    row.last_error = R"({"message":"earlier trouble"})";
    const auto outcome = after(broker::delivered{"1700-0"}, row);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->seq, 12);
    EXPECT_EQ(outcome->status, store::row_status::published);
    EXPECT_EQ(outcome->receipt, "1700-0");
    EXPECT_EQ(outcome->published_at, now);
    EXPECT_EQ(outcome->last_error, "");
    EXPECT_EQ(outcome->retry_count, 2);
    EXPECT_FALSE(outcome->next_retry_at);
    EXPECT_FALSE(outcome->abandoned_at);
}

TEST_F(row_lifecycle_test, unreachable_costs_nothing) {
    EXPECT_FALSE(after(broker::unreachable{"connection refused"}, fresh_row()));
}

TEST_F(row_lifecycle_test, refused_waits_for_its_next_time) {
    const auto outcome = after(broker::refused{"too big", "E2BIG", false}, fresh_row());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, store::row_status::failed);
    EXPECT_EQ(outcome->retry_count, 1);
    EXPECT_EQ(outcome->next_retry_at, now + 60s);
    EXPECT_FALSE(outcome->abandoned_at);
    EXPECT_EQ(outcome->last_error,
              R"({"class":"refused","message":"too big","code":"E2BIG","first_failed_at":"2026-11-23T08:00:00+00:00",)"
              R"("last_failed_at":"2026-11-23T08:00:00+00:00","attempts":1})");
}

TEST_F(row_lifecycle_test, refused_too_often_is_abandoned) {
    auto row = fresh_row();
    row.retry_count = 2;
    row.last_error = R"({"first_failed_at":"2026-11-22T08:00:00+00:00"})";
    const auto outcome = after(broker::refused{"no", "", false}, row);
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, store::row_status::abandoned);
    EXPECT_EQ(outcome->abandoned_at, now);
    EXPECT_FALSE(outcome->next_retry_at);
    const auto error = json::parse(outcome->last_error);
    EXPECT_EQ(error.at("first_failed_at").as_string(), "2026-11-22T08:00:00+00:00");
    EXPECT_EQ(error.at("last_failed_at").as_string(), "2026-11-23T08:00:00+00:00");
    EXPECT_EQ(error.at("attempts").as_int(), 3);
    EXPECT_EQ(error.at("reason").as_string(), "Max retries exceeded");
}

TEST_F(row_lifecycle_test, refused_for_good_is_abandoned_at_once) {
    const auto outcome = after(broker::refused{"schema", "INVALID", true}, fresh_row());
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->status, store::row_status::abandoned);
    EXPECT_EQ(outcome->retry_count, 1);
    const auto error = json::parse(outcome->last_error);
    EXPECT_EQ(error.at("class").as_string(), "refused_permanently");
    EXPECT_EQ(error.at("reason").as_string(), "Permanently refused");
}

TEST_F(row_lifecycle_test, a_closed_stream_costs_no_attempt) {
    const broker::refused closed{.reason = "no right", .code = "NOPERM", .stream_closed = true};
    auto row = fresh_row();
    row.retry_count = 2;
    auto outcome = *after(closed, row);
    EXPECT_EQ(outcome.status, store::row_status::failed);
    EXPECT_EQ(outcome.retry_count, 2);
    EXPECT_EQ(outcome.next_retry_at, now + 60s);
    EXPECT_EQ(json::parse(outcome.last_error).at("class").as_string(), "stream_closed");

    row.status = store::row_status::failed;
    row.last_error = outcome.last_error;
    outcome = *lifecycle_.after(closed, row, now + 10min, random_);
    EXPECT_EQ(outcome.status, store::row_status::failed);
    EXPECT_EQ(outcome.retry_count, 2);
    EXPECT_EQ(outcome.next_retry_at, now + 20min) << "as long again as it has waited";
    EXPECT_EQ(json::parse(outcome.last_error).at("closed_since").as_string(), now.to_string());
    EXPECT_EQ(lifecycle_.longest_wait(row), 1h) << "whatever the number of attempts";

    outcome = *lifecycle_.after(closed, row, now + 7 * 24h, random_);
    EXPECT_EQ(outcome.status, store::row_status::abandoned);
    EXPECT_EQ(outcome.abandoned_at, now + 7 * 24h);
    EXPECT_EQ(json::parse(outcome.last_error).at("reason").as_string(), "Stream closed for too long");
    row.status = store::row_status::pending;
    EXPECT_EQ(lifecycle_.after(closed, row, now + 8 * 24h, random_)->next_retry_at, now + 8 * 24h + 60s)
        << "a retry by hand begins anew";
}

TEST_F(row_lifecycle_test, the_brokers_text_is_cut_and_cleaned) {
    const auto outcome =
        after(broker::refused{"a\nb\x1b[31m" + std::string(10'000, 'x'), std::string(500, 'c'), false}, fresh_row());
    const auto error = json::parse(outcome->last_error);
    EXPECT_TRUE(error.at("message").as_string().starts_with("a b [31mxxx"));
    EXPECT_LT(outcome->last_error.size(), 1000U);
}

TEST_F(row_lifecycle_test, history_that_cannot_be_read_begins_again) {
    auto row = fresh_row();
    row.last_error = "not json";
    const auto outcome = after(broker::refused{"no", "", false}, row);
    EXPECT_EQ(json::parse(outcome->last_error).at("first_failed_at").as_string(), now.to_string());
}

TEST_F(row_lifecycle_test, the_count_of_attempts_does_not_overflow) {
    auto row = fresh_row();
    row.retry_count = std::numeric_limits<int>::max();
    EXPECT_EQ(after(broker::refused{"no", "", false}, row)->retry_count, std::numeric_limits<int>::max());
}

}  // namespace
}  // namespace sluice::outbox
