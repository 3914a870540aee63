#include "operate/processes.hpp"

#include <gtest/gtest.h>

#include "operate/request_error.hpp"
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

}  // namespace
}  // namespace sluice::operate
