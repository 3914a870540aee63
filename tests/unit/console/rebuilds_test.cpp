#include "console/rebuilds.hpp"

#include <gmock/gmock.h>

#include <latch>
#include <memory>
#include <stdexcept>

#include "observe/log.hpp"
#include "operate/request_error.hpp"
#include "support/eventually.hpp"

namespace sluice::console {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::eventually;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(rebuilds, run_beside_whoever_asked_for_them_and_once_at_a_time) {
    std::latch go{1};
    std::atomic<int> runs = 0;
    rebuilds all{[&](const std::string& name, projection::rebuild_host&) {
        EXPECT_EQ(name, "totals");
        go.wait();
        ++runs;
        return projection::rebuild_report{.finished = true};
    }};
    all.begin("totals");
    EXPECT_THROW(all.begin("totals"), operate::request_error);
    EXPECT_EQ(runs, 0);
    go.count_down();
    ASSERT_TRUE(eventually([&] {
        try {
            all.begin("totals");
            return true;
        } catch (const operate::request_error&) {
            return false;
        }
    }));
    ASSERT_TRUE(eventually([&] { return runs == 2; }));
    EXPECT_THAT(all.failures(), IsEmpty());
}

TEST(rebuilds, that_fail_say_why_until_the_next_one) {
    std::atomic<bool> is_broken = true;
    std::atomic<int> runs = 0;
    rebuilds all{[&](const std::string&, projection::rebuild_host&) -> projection::rebuild_report {
        ++runs;
        if (is_broken) throw std::runtime_error{"the event\nhas no total"};
        return {.finished = true};
    }};
    all.begin("totals");
    ASSERT_TRUE(eventually([&] { return !all.failures().empty(); }));
    EXPECT_THAT(all.failures(), ElementsAre(Pair("totals", "the event has no total")));
    is_broken = false;
    all.begin("totals");
    ASSERT_TRUE(eventually([&] { return runs == 2; }));
    EXPECT_THAT(all.failures(), IsEmpty());
}

TEST(rebuilds, log_where_the_thread_does_that_begins_them) {
    std::latch told{1};
    const auto route = std::make_shared<const observe::log_route>(log_level::info, [&](const log_record& line) {
        EXPECT_EQ(line.event, "console.rebuild_failed");
        told.count_down();
    });
    rebuilds all{[](const std::string&, projection::rebuild_host&) -> projection::rebuild_report {
        throw std::runtime_error{"the event has no total"};
    }};
    {
        const observe::log_scope scope{route};
        all.begin("totals");
    }
    EXPECT_TRUE(eventually([&] { return told.try_wait(); }));
}

TEST(rebuilds, end_early_when_nobody_keeps_them) {
    std::atomic<bool> ended_early = false;
    {
        std::latch begun{1};
        rebuilds all{[&](const std::string&, projection::rebuild_host& host) {
            begun.count_down();
            while (!host.stopped()) host.rest(1h);
            ended_early = true;
            return projection::rebuild_report{};
        }};
        all.begin("totals");
        begun.wait();
    }
    EXPECT_TRUE(ended_early);
}

}  // namespace
}  // namespace sluice::console
