#include "command/repetition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace std::chrono_literals;
using sluice::command::repetition;
using testing::ElementsAre;
using testing::IsEmpty;

/// Always the same draw.
class constant_chance final : public sluice::base::random_source {
public:
    explicit constant_chance(std::uint64_t bits) : bits_{bits} {}
    [[nodiscard]] std::uint64_t next() override { return bits_; }

private:
    std::uint64_t bits_;
};

constexpr std::uint64_t all_bits = ~std::uint64_t{0};

const sluice::expected_version_error conflict{"somebody was faster"};
const sluice::store_error away{"away", sluice::error_nature::retryable};

struct fixture {
    sluice::config::server_settings settings;
    constant_chance chance{0};  // the shortest pauses: half of them
    sluice::date_time now = sluice::date_time::parse("2026-11-23T07:56:25Z");

    std::vector<sluice::duration> pauses(const sluice::error& failure, std::optional<sluice::date_time> deadline = {}) {
        std::vector<sluice::duration> all;
        repetition plan{settings, chance};
        while (const auto pause = plan.after(failure, now, deadline)) all.push_back(*pause);
        return all;
    }
};

TEST(repetition, after_a_conflict_is_at_once_and_then_after_doubling_pauses) {
    fixture f;
    EXPECT_THAT(f.pauses(conflict), ElementsAre(0ms, 25ms, 50ms, 100ms, 200ms, 400ms, 500ms, 500ms, 500ms, 500ms))
        << "half of 50, 100 ms and so on, up to a second";
    f.settings.version_retry = {.max_retries = 8, .base_delay_seconds = 0.2, .max_delay_seconds = 1};
    EXPECT_THAT(f.pauses(conflict), ElementsAre(0ms, 100ms, 200ms, 400ms, 500ms, 500ms, 500ms, 500ms));
}

TEST(repetition, after_a_deadlock_lets_the_other_one_go_on_first) {
    fixture f;
    const sluice::store_error deadlock{"deadlock detected", sluice::error_nature::conflict};
    EXPECT_THAT(f.pauses(deadlock), ElementsAre(25ms, 25ms, 50ms, 100ms, 200ms, 400ms, 500ms, 500ms, 500ms, 500ms));
}

TEST(repetition, after_a_conflict_can_be_turned_off) {
    fixture f;
    f.settings.version_retry.max_retries = 0;
    EXPECT_THAT(f.pauses(conflict), IsEmpty());
    f.settings.version_retry = {.enabled = false};
    EXPECT_THAT(f.pauses(conflict), IsEmpty());
}

TEST(repetition, after_other_trouble_is_off_by_default) {
    fixture f;
    EXPECT_THAT(f.pauses(away), IsEmpty());
}

TEST(repetition, after_other_trouble_grows_as_configured) {
    fixture f;
    f.settings.transient_retry = {
        .enabled = true, .max_retries = 4, .base_delay_seconds = 0.1, .max_delay_seconds = 0.5};
    EXPECT_THAT(f.pauses(away), ElementsAre(50ms, 100ms, 200ms, 250ms));
    f.settings.transient_retry.backoff = sluice::config::delay_growth::linear;
    EXPECT_THAT(f.pauses(away), ElementsAre(50ms, 100ms, 150ms, 200ms));
    f.settings.transient_retry.backoff = sluice::config::delay_growth::fixed;
    EXPECT_THAT(f.pauses(away), ElementsAre(50ms, 50ms, 50ms, 50ms));
}

TEST(repetition, never_follows_what_is_permanent_or_in_doubt) {
    fixture f;
    f.settings.transient_retry.enabled = true;
    EXPECT_THAT(f.pauses(sluice::not_found_error{"nobody"}), IsEmpty());
    EXPECT_THAT(f.pauses(sluice::store_error{"lost", sluice::error_nature::in_doubt}), IsEmpty());
}

TEST(repetition, has_a_budget_for_each_kind_of_trouble) {
    fixture f;
    f.settings.transient_retry = {.enabled = true, .max_retries = 1};
    f.settings.version_retry.max_retries = 3;
    repetition plan{f.settings, f.chance};
    EXPECT_TRUE(plan.after(away, f.now, {}));
    EXPECT_TRUE(plan.after(conflict, f.now, {}));
    EXPECT_FALSE(plan.after(away, f.now, {}));
    EXPECT_TRUE(plan.after(conflict, f.now, {}));
    EXPECT_TRUE(plan.after(conflict, f.now, {}));
    EXPECT_FALSE(plan.after(conflict, f.now, {}));
}

TEST(repetition, ends_when_the_deadline_has_passed_or_the_next_wait_would_pass_it) {
    fixture f;
    EXPECT_THAT(f.pauses(conflict, f.now), IsEmpty());
    EXPECT_THAT(f.pauses(conflict, f.now + 1ms), ElementsAre(0ms));
    EXPECT_THAT(f.pauses(conflict, f.now + 25ms), ElementsAre(0ms)) << "it would begin at the deadline";
    EXPECT_THAT(f.pauses(conflict, f.now + 26ms), ElementsAre(0ms, 25ms));
}

TEST(repetition, spreads_pauses_by_chance_between_a_half_and_the_whole) {
    fixture f;
    f.chance = constant_chance{all_bits};
    const auto longest = f.pauses(conflict);
    ASSERT_EQ(longest.size(), 10U);
    EXPECT_GE(longest[1], 49ms);
    EXPECT_LE(longest[1], 50ms);
}

}  // namespace
