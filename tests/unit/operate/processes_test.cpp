#include "operate/processes.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "operate/request_error.hpp"
#include "store/memory/memory_database.hpp"
#include "support/bank.hpp"
#include "support/depot_domain.hpp"

namespace sluice::operate {
namespace {

const date_time start = date_time::parse("2026-11-23T12:00:00Z");

process_step step_at(std::int64_t position, bool complete) {
    process_step step{.position = position, .at = start};
    step.transition.handler_name = "on_paid";
    step.transition.is_complete = complete;
    step.transition.state = json::object{{"total", position}};
    return step;
}

process_view instance_after(process_step last) {
    return {.process = "shop.Payment", .correlation = "o-1", .stream = "shop::payment-o-1", .last = std::move(last)};
}

TEST(process_view_to_json, is_as_its_last_step) {
    process_step last = step_at(2, false);
    last.transition.timers["reminder"] = {.id = "t-1", .due = start};
    EXPECT_EQ(json::dump(to_json(std::vector{instance_after(last)})),
              R"({"processes":[{"process":"shop.Payment","correlation":"o-1","stream":"shop::payment-o-1",)"
              R"("state":"open","steps":3,"last_step":"on_paid","changed_at":"2026-11-23T12:00:00+00:00",)"
              R"("timers":[{"name":"reminder","due":"2026-11-23T12:00:00+00:00","message_id":"t-1"}]}]})");
}

TEST(process_history_to_json, has_the_state_after_each_step) {
    const process_history history{.instance = instance_after(step_at(1, true)),
                                  .steps = {step_at(0, false), step_at(1, true)}};
    const json::value shown = to_json(history);
    EXPECT_EQ(shown.at("state").as_string(), "complete");
    EXPECT_EQ(shown.at("data").at("total").as_int(), 1);
    EXPECT_EQ(json::dump(shown.at("history").at(0)),
              R"({"position":0,"at":"2026-11-23T12:00:00+00:00","cause":"on_paid","is_complete":false,"timers":[],)"
              R"("data":{"total":0}})");
}

TEST(list_processes, refuses_a_process_manager_that_is_not_there) {
    const sluice::domain depot = depot::make_domain();
    EXPECT_TRUE(list_processes(depot.declared(), {}, {}).empty());
    EXPECT_THROW(static_cast<void>(list_processes(depot.declared(), {}, {.process = "Payment"})), request_error);
}

/// Transfers t-000, t-001, … of which only the last one is open.
class transfers : public ::testing::Test {
protected:
    static constexpr int count = 450;

    transfers() {
        bank_.validate();
        const auto& category = bank_.declared().processes.begin()->second.category;
        const std::shared_ptr<store::database> database = store::make_memory_database("default");
        database->setup();
        for (int i = 0; i < count; ++i) {
            const detail::process_memory memory{.complete = i + 1 < count};
            const auto stream = fmt::format("{}-t {:03}", category, i);
            database->open_unit()->commit(
                {.events = {{.event = {.message_id = stream,
                                       .stream = stream,
                                       .stream_category = category,
                                       .type = "Bank.Transfer.v1",
                                       .data = process::encode_transition("{}", "TransferRequested", memory),
                                       .metadata = "{}",
                                       .created_at = start}}},
                 .at = start});
        }
        with_.parts.databases.emplace("default", database);
    }

    /// All pages of at most 200, with a clock that goes on by so much at each look.
    [[nodiscard]] std::vector<process_page> pages(bool open_only, std::chrono::milliseconds tick) const {
        std::chrono::steady_clock::time_point now{};
        const page_budget budget{.time = std::chrono::milliseconds{100}, .now = [&] { return now += tick; }};
        std::vector<process_page> all;
        do {
            all.push_back(page_of_processes(bank_.declared(), with_, {.open_only = open_only, .limit = 200},
                                            all.empty() ? "" : all.back().next, budget));
        } while (!all.back().next.empty() && all.size() < 2 * count);
        return all;
    }

    sluice::domain bank_ = bank::make_domain();
    installation with_{};
};

TEST_F(transfers, go_page_by_page) {
    const auto all = pages(false, std::chrono::milliseconds{0});
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].elements.size(), 200U);
    EXPECT_EQ(all[0].next, "bank.Transfer t 199");
    EXPECT_EQ(all[1].elements.front().correlation, "t 200");
    EXPECT_EQ(all[2].elements.back().correlation, "t 449");
    EXPECT_EQ(json::dump(to_json(process_page{.next = "bank.Transfer t 199"})),
              R"({"processes":[],"next":"bank.Transfer t 199"})");
}

TEST_F(transfers, that_are_rare_are_looked_for_as_long_as_a_page_may_take_and_further_by_the_next_one) {
    const auto all = pages(true, std::chrono::milliseconds{40});
    ASSERT_EQ(all.size(), 150U) << "three in each page";
    EXPECT_TRUE(all.front().is_cut_short);
    EXPECT_TRUE(all.front().elements.empty());
    ASSERT_EQ(all.back().elements.size(), 1U);
    EXPECT_EQ(all.back().elements[0].correlation, "t 449");
    EXPECT_FALSE(all.back().is_cut_short);
    EXPECT_EQ(pages(true, std::chrono::milliseconds{0}).size(), 1U);
}

TEST_F(transfers, refuse_a_place_that_is_none) {
    for (const char* wrong : {"bank.Transfer", "bank.Other t", "t 199"}) {
        EXPECT_THROW(static_cast<void>(page_of_processes(bank_.declared(), with_, {}, wrong)), request_error) << wrong;
    }
}

}  // namespace
}  // namespace sluice::operate
