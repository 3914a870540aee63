#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "support/bank.hpp"
#include "support/process_world.hpp"
#include "support/recorded_spans.hpp"

// What commands, units of work, process managers and timers record, and how it hangs together.
namespace {

using namespace std::chrono_literals;
using sluice::finished_span;
using sluice::testing::text_of;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* trace = "0af7651916cd43dd8448eb211c80319c";
const std::string given = std::string{"00-"} + trace + "-b7ad6b7169203331-01";

class spans : public testing::Test {
protected:
    void request(const std::string& traceparent) {
        auto in = world.context();
        in.process(bank::RequestTransfer{.transfer_id = "t-1", .from = "ada", .to = "bob", .amount = 30},
                   {.traceparent = traceparent});
    }
    void open_accounts() {
        world.give(bank::OpenAccount{.account_id = "ada", .balance = 100});
        world.give(bank::OpenAccount{.account_id = "bob"});
    }
    [[nodiscard]] finished_span only(const std::string& name) const {
        const auto found = recorded.named(name);
        if (found.size() != 1) throw std::runtime_error{std::to_string(found.size()) + " spans are called " + name};
        return found.front();
    }

    sluice::testing::process_world world{bank::make_domain()};
    sluice::testing::recorded_spans recorded{world.env->tracer(), world.clock, world.random};
};

TEST_F(spans, a_command_holds_its_unit_and_that_its_commit) {
    world.give(bank::OpenAccount{.account_id = "ada", .balance = 100});
    const finished_span command = only("command OpenAccount");
    const finished_span unit = only("unit of work");
    const finished_span commit = only("commit default");
    EXPECT_EQ(command.parent_id, "");
    EXPECT_EQ(unit.parent_id, command.context.parent_id);
    EXPECT_EQ(commit.parent_id, unit.context.parent_id);
    EXPECT_EQ(text_of(unit, "sluice.outcome"), "committed");
    EXPECT_EQ(commit.context.trace_id, command.context.trace_id);
}

TEST_F(spans, a_command_that_fails_says_why) {
    EXPECT_THROW(world.give(bank::Withdraw{.account_id = "nobody", .reference = "r", .amount = 1}),
                 sluice::not_found_error);
    const finished_span command = only("command Withdraw");
    EXPECT_TRUE(command.failed);
    EXPECT_EQ(text_of(command, "error.type"), "not_found");
    EXPECT_EQ(text_of(only("unit of work"), "sluice.outcome"), std::nullopt);
}

TEST_F(spans, a_unit_opened_by_hand_begins_a_trace_that_its_events_continue) {
    {
        auto in = world.context();
        sluice::unit_of_work work{in};
        in.process(bank::OpenAccount{.account_id = "ada", .balance = 5});
        work.commit();
    }
    const finished_span unit = only("unit of work");
    EXPECT_EQ(unit.parent_id, "");
    EXPECT_EQ(only("command OpenAccount").parent_id, unit.context.parent_id);
    EXPECT_EQ(only("commit default").parent_id, unit.context.parent_id);
}

TEST_F(spans, messages_name_the_span_in_which_they_were_made) {
    open_accounts();
    recorded.forget();
    request(given);
    const finished_span command = only("command RequestTransfer");
    EXPECT_EQ(command.context.trace_id, trace);
    EXPECT_EQ(command.parent_id, "b7ad6b7169203331");
    const finished_span created = only("create bank::payment");
    EXPECT_EQ(created.kind, sluice::span_kind::producer);
    EXPECT_EQ(created.parent_id, command.context.parent_id);
    const auto sent = world.sent();
    const auto carried = world.as_message(sent.back().event).metadata().headers.traceparent;
    ASSERT_TRUE(carried);
    EXPECT_EQ(carried->parent_id, created.context.parent_id);
    EXPECT_EQ(text_of(created, "messaging.message.id"), sent.back().event.message_id);
}

/// The trace of the request runs through the process, its timer and what comes of that.
TEST_F(spans, the_steps_and_timers_of_a_process_stay_in_the_trace_that_began_it) {
    open_accounts();
    world.settle();
    recorded.forget();
    request(given);
    world.settle();
    world.pass(1h);
    std::set<std::string> traces;
    for (const finished_span& each : recorded.all()) traces.insert(each.context.trace_id);
    EXPECT_THAT(traces, ElementsAre(trace));
    const auto steps = recorded.named("step Transfer");
    ASSERT_GE(steps.size(), 3U) << "requested, timed out, expired";
    EXPECT_EQ(text_of(steps[0], "sluice.process.instance"), "t-1");
    EXPECT_EQ(text_of(steps[0], "sluice.outcome"), "taken");
    EXPECT_EQ(only("command Withdraw").parent_id, steps[0].context.parent_id) << "what a step gives is part of it";
    std::vector<std::string> released;
    std::vector<std::string> timers;
    for (const finished_span& each : recorded.all()) {
        if (each.name.starts_with("release ")) released.push_back(each.parent_id);
        if (each.name.starts_with("create ") && each.name.find("timeout") != std::string::npos) {
            timers.push_back(each.context.parent_id);
        }
    }
    ASSERT_THAT(timers, SizeIs(1));
    EXPECT_EQ(released, timers);
}

TEST_F(spans, a_submitted_command_travels_with_its_own_span_and_a_record_of_one_has_none) {
    auto in = world.context();
    in.submit(bank::OpenAccount{.account_id = "ada", .balance = 5}, {.traceparent = given});
    EXPECT_EQ(only("create bank::account:command").parent_id, only("submit OpenAccount").context.parent_id);
    recorded.forget();
    world.settle();
    EXPECT_THAT(recorded.named("create bank::account:command"), IsEmpty());
}

/// Others learn that the trace is not sampled, and nobody here is told of it.
TEST_F(spans, what_is_not_sampled_goes_on_unsampled) {
    open_accounts();
    recorded.forget();
    request(std::string{"00-"} + trace + "-b7ad6b7169203331-00");
    EXPECT_THAT(recorded.all(), IsEmpty());
    const auto carried = world.as_message(world.sent().back().event).metadata().headers.traceparent;
    ASSERT_TRUE(carried);
    EXPECT_EQ(carried->trace_id, trace);
    EXPECT_FALSE(carried->sampled);
    EXPECT_NE(carried->parent_id, "b7ad6b7169203331");
}

/// Without anybody who records, messages carry what the caller gave, as ever.
TEST(spans_off, the_callers_trace_passes_unchanged) {
    sluice::testing::process_world world{bank::make_domain()};
    auto in = world.context();
    in.process(bank::OpenAccount{.account_id = "ada", .balance = 1}, {.traceparent = given});
    in.process(bank::Deposit{.account_id = "ada", .reference = "r", .amount = 1}, {.traceparent = given});
    const auto carried = world.as_message(world.sent().back().event).metadata().headers.traceparent;
    ASSERT_TRUE(carried);
    EXPECT_EQ(carried->to_w3c(), given);
}

}  // namespace
