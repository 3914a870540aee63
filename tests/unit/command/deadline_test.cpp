#include "command/deadline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/commit/box_office.hpp"

namespace {

using namespace std::chrono_literals;
using box_office::fixture;
using box_office::OpenShow;
using box_office::SellSeats;
using sluice::command::outcome;
using testing::HasSubstr;

TEST(deadline, keeps_a_command_from_beginning_too_late) {
    fixture f;
    try {
        f.context().process(OpenShow{.show_id = "s-1"}, {.deadline = f.clock.now()});
        FAIL();
    } catch (const sluice::deadline_error& e) {
        EXPECT_STREQ(e.code(), "deadline_exceeded");
        EXPECT_FALSE(e.retryable());
        EXPECT_THAT(e.what(), HasSubstr("OpenShow was to begin before 2026-01-01T00:00:00+00:00"));
    }
    EXPECT_EQ(f.does->runs, 0);
    EXPECT_EQ(f.context().process(OpenShow{.show_id = "s-1"}, {.deadline = f.clock.now() + 1us}), "s-1");
}

TEST(deadline, is_the_earlier_of_instant_and_timeout) {
    fixture f;
    const auto seen_with = [&](const sluice::process_options& options) {
        std::optional<sluice::date_time> seen;
        f.does->hook = [&](sluice::context& in) { seen = in.deadline(); };
        f.context().process(OpenShow{.show_id = "s-" + std::to_string(f.does->runs)}, options);
        return seen;
    };
    const auto now = f.clock.now();
    EXPECT_EQ(seen_with({}), std::nullopt);
    EXPECT_EQ(seen_with({.timeout = 5s}), now + 5s);
    EXPECT_EQ(seen_with({.deadline = now + 3s, .timeout = 5s}), now + 3s);
    EXPECT_EQ(seen_with({.deadline = now + 9s, .timeout = 5s}), now + 5s);
    EXPECT_GT(seen_with({.timeout = sluice::duration::max()}), now) << "no overflow";
    EXPECT_THROW(seen_with({.timeout = -1s}), sluice::deadline_error);
    EXPECT_THROW(seen_with({.timeout = sluice::duration::min()}), sluice::deadline_error);
}

TEST(deadline, of_the_caller_holds_for_commands_inside_when_it_is_earlier) {
    fixture f;
    f.context().process(OpenShow{.show_id = "s-1"});
    const auto begin = f.clock.now();
    f.does->hook = [&](sluice::context& in) {
        if (in.deadline() != begin + 5s) return;  // not in the outer one
        f.does->hook = nullptr;
        EXPECT_EQ(in.process(SellSeats{.show_id = "s-1"}, {.timeout = 60s}).sold, 1);
        f.clock.advance(6s);
        EXPECT_THROW(in.process(SellSeats{.show_id = "s-1"}, {.timeout = 60s}), sluice::deadline_error);
    };
    EXPECT_THROW(f.context().process(SellSeats{.show_id = "s-1"}, {.timeout = 5s}), sluice::usage_error)
        << "the inner command doomed the unit";
    EXPECT_EQ(f.sold(), 0);
}

TEST(deadline, does_not_stop_what_has_begun) {
    fixture f;
    f.does->hook = [&](sluice::context&) { f.clock.advance(1h); };
    EXPECT_EQ(f.context().process(OpenShow{.show_id = "s-1"}, {.timeout = 1s}), "s-1");
    EXPECT_EQ(f.sold(), 0);
}

TEST(deadline, of_a_submitted_command_travels_in_its_headers) {
    fixture f;
    auto in = f.context();
    const auto until = f.clock.now() + 90s;
    const std::string id = in.submit(OpenShow{.show_id = "s-1"}, {.timeout = 90s});
    EXPECT_EQ(f.metadata_of(id).headers.deadline, until.to_string());
    EXPECT_EQ(sluice::command::deadline_of(f.message_of(id)), until);
    EXPECT_FALSE(f.metadata_of(in.submit(OpenShow{.show_id = "s-2"})).headers.deadline);
    EXPECT_THROW(in.submit(OpenShow{.show_id = "s-3"}, {.deadline = f.clock.now()}), sluice::deadline_error);

    f.does->hook = [&](sluice::context& handler) { EXPECT_EQ(handler.deadline(), until); };
    EXPECT_EQ(sluice::command::handle_command(*f.env, f.message_of(id), {"1-0"}, "commands"), outcome::handled);
    f.clock.advance(90s);
    EXPECT_THROW(static_cast<void>(sluice::command::handle_command(*f.env, f.message_of(id), {"1-0"}, "other")),
                 sluice::deadline_error);
    EXPECT_EQ(f.does->runs, 1);
}

TEST(deadline, of_submitted_commands_has_a_default_and_is_not_the_caller_s) {
    sluice::config::configuration configuration;
    configuration.commands.default_timeout_seconds = 30;
    fixture f{configuration};
    std::string id;
    f.does->hook = [&](sluice::context& in) { id = in.submit(SellSeats{.show_id = "s-1"}); };
    const auto begin = f.clock.now();
    f.context().process(OpenShow{.show_id = "s-1"}, {.timeout = 5s});
    EXPECT_EQ(f.metadata_of(id).headers.deadline, (begin + 30s).to_string());
    id = f.context().submit(SellSeats{.show_id = "s-1"}, {.timeout = 90s});
    EXPECT_EQ(f.metadata_of(id).headers.deadline, (begin + 90s).to_string());
}

TEST(deadline, of_an_event_is_nobody_s_business) {
    fixture f;
    const auto m = sluice::message::decode(
        R"({"data":{},"metadata":{"headers":{"id":"m-1","type":"Else.Where.v1","deadline":"2001-01-01T00:00:00Z"}}})");
    EXPECT_EQ(sluice::command::handle(*f.env, m, {"1-0"}, "sub",
                                      [](sluice::context& in) {
                                          EXPECT_EQ(in.deadline(), std::nullopt);
                                          in.process(OpenShow{.show_id = "s-1"});
                                      }),
              outcome::handled);
}

}  // namespace
