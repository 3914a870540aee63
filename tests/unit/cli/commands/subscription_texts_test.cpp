#include "cli/commands/subscription_texts.hpp"

#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

consume::route route(const std::string& name, const std::string& broker, std::vector<std::string> streams) {
    consume::route made;
    made.name = name;
    made.broker = broker;
    made.streams = std::move(streams);
    made.group = name;
    return made;
}

broker::group_status counts(const std::string& stream, const std::string& group, std::int64_t lag, std::int64_t dead) {
    return {.stream = stream, .group = group, .length = 10, .lag = lag, .pending = 2, .dead = dead};
}

TEST(settings_text, names_the_profiles_and_what_deviates) {
    using source = config::setting_source;
    EXPECT_EQ(settings_text({{.key = "max_retries", .value = std::int64_t{3}}}), "");
    EXPECT_EQ(
        settings_text(
            {{.key = "messages_per_tick",
              .value = std::int64_t{10},
              .source = source::handler_profile,
              .profile = "fast"},
             {.key = "max_retries", .value = std::int64_t{9}, .source = source::code, .deviates = true},
             {.key = "retry_delay_seconds", .value = 0.25, .source = source::code, .deviates = true},
             {.key = "claim_seconds", .value = 30.0, .source = source::global_section},
             {.key = "enable_dlq", .value = false, .source = source::code, .deviates = true},
             {.key = "max_held", .value = std::int64_t{10}, .source = source::handler_profile, .profile = "fast"}}),
        "profile=fast max_retries=9 retry_delay_seconds=0.25 enable_dlq=false");
}

TEST(summary_text, counts_the_states_that_there_are) {
    const std::vector<consume::route> routes{route("a", "default", {"s"}), route("b", "default", {"s"}),
                                             route("c", "default", {"s"}), route("d", "partner", {"s"})};
    const auto rows = operate::view_subscriptions(
        routes, {{"default", {counts("s", "a", 0, 0), counts("s", "b", 0, 0), counts("s", "c", 3, 4)}}});
    EXPECT_EQ(summary_text(rows), "4 subscriptions: 2 ok, 1 with dead letters, 1 unknown");
    EXPECT_EQ(summary_text({rows[0]}), "1 subscription: 1 ok");
    EXPECT_EQ(summary_text({}), "0 subscriptions");
}

}  // namespace
}  // namespace sluice::cli
