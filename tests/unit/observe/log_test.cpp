#include "observe/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include <memory>
#include <string>
#include <vector>

#include "observe/log_line.hpp"
#include "support/captured_log.hpp"

namespace sluice::observe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string text_of(std::string value) {
    const std::vector<log_field> fields{{"key", std::move(value)}};
    return text_line("event", fields);
}

TEST(text_line, leaves_simple_values_bare) {
    const std::vector<log_field> fields{{"broker", "partner_events"}, {"count", "3"}};
    EXPECT_EQ(text_line("lane.paused", fields), "lane.paused broker=partner_events count=3");
    EXPECT_EQ(text_of("shop::order-1/x.y,z"), "event key=shop::order-1/x.y,z");
}

TEST(text_line, quotes_and_escapes_the_rest) {
    EXPECT_EQ(text_of("no such host"), R"(event key="no such host")");
    EXPECT_EQ(text_of("say \"hi\""), R"(event key="say \"hi\"")");
    EXPECT_EQ(text_of("a=b"), R"(event key="a=b")");
    EXPECT_EQ(text_of("back\\slash"), R"(event key="back\\slash")");
    EXPECT_EQ(text_of(""), R"(event key="")");
    EXPECT_EQ(text_of("two\nlines\x01"), R"(event key="two\nlines\u0001")");
}

class log_test : public ::testing::Test {
protected:
    ~log_test() override { configure_log({}); }

    template <class Action>
    static std::string written_by(const log_settings& settings, Action action) {
        configure_log(settings);
        sluice::testing::captured_log captured;
        action();
        return captured.text();
    }
};

TEST_F(log_test, text_lines_begin_with_utc_time_and_level) {
    const auto line = written_by({}, [] { log(level::warn, "lane.paused", {{"reason", "no host"}}); });
    EXPECT_TRUE(line.ends_with("+00:00 warning lane.paused reason=\"no host\"\n")) << line;
    EXPECT_NO_THROW((void)date_time::parse(line.substr(0, line.find(' '))));
}

TEST_F(log_test, json_lines_are_objects) {
    const auto line = written_by({.format = log_format::json}, [] {
        log(level::error, "x.y", {{"k", "a \"b\"\n%v"}});
    });
    const auto read = json::parse(line);
    EXPECT_EQ(read.at("event").as_string(), "x.y");
    EXPECT_EQ(read.at("level").as_string(), "error");
    EXPECT_EQ(read.at("k").as_string(), "a \"b\"\n%v");
    EXPECT_NO_THROW((void)date_time::parse(read.at("time").as_string()));
}

TEST_F(log_test, numbers_and_flags_stay_what_they_are_in_json) {
    const auto write = [] {
        log(level::info, "x.y",
            {{"pid", 4242}, {"lines", std::uint64_t{18}}, {"late", true}, {"id", std::string{"7"}}});
    };
    const auto read = json::parse(written_by({.format = log_format::json}, write));
    EXPECT_EQ(read.at("pid").as_int(), 4242);
    EXPECT_EQ(read.at("lines").as_int(), 18);
    EXPECT_TRUE(read.at("late").as_bool());
    EXPECT_EQ(read.at("id").as_string(), "7");
    EXPECT_TRUE(written_by({}, write).ends_with("x.y pid=4242 lines=18 late=true id=7\n"));
}

TEST_F(log_test, honours_the_threshold) {
    EXPECT_EQ(written_by({.threshold = level::warn}, [] { log(level::info, "quiet"); }), "");
    EXPECT_EQ(written_by({.threshold = level::off}, [] { log(level::error, "quiet"); }), "");
    configure_log({.threshold = level::debug});
    EXPECT_TRUE(log_enabled(level::debug));
    EXPECT_FALSE(log_enabled(level::trace));
    EXPECT_FALSE(log_enabled(level::off));
}

/// A sink that keeps the texts.
std::shared_ptr<const log_route> route_to(std::vector<std::string>& lines, level threshold = level::info) {
    return std::make_shared<const log_route>(threshold,
                                             [&lines](const log_record& record) { lines.push_back(to_text(record)); });
}

TEST_F(log_test, a_thread_of_an_application_writes_to_its_sink_only) {
    std::vector<std::string> lines;
    const auto of_process = written_by({}, [&] {
        {
            const log_scope scope{route_to(lines)};
            log(level::info, "a.b", {{"reason", "no host"}, {"count", 2}});
            log(level::debug, "quiet");
        }
        log(level::info, "of.process");
    });
    EXPECT_THAT(lines, ElementsAre("a.b reason=\"no host\" count=2"));
    EXPECT_THAT(of_process, AllOf(HasSubstr("of.process"), Not(HasSubstr("a.b"))));
}

TEST_F(log_test, scopes_end_where_they_began_and_an_empty_one_changes_nothing) {
    std::vector<std::string> outer;
    std::vector<std::string> inner;
    const auto first = route_to(outer);
    const auto second = route_to(inner, level::trace);
    const log_scope scope{first};
    {
        const log_scope nested{second};
        const log_scope none{nullptr};
        EXPECT_TRUE(log_enabled(level::trace));
        EXPECT_EQ(log_route_of_this_thread(), second);
        log(level::info, "inner");
    }
    log(level::info, "outer");
    EXPECT_THAT(outer, ElementsAre("outer"));
    EXPECT_THAT(inner, ElementsAre("inner"));
    EXPECT_FALSE(log_enabled(level::debug));
}

TEST_F(log_test, a_route_without_a_sink_writes_nothing) {
    const auto nothing = std::make_shared<const log_route>(level::trace, log_sink{});
    EXPECT_EQ(written_by({},
                         [&] {
                             const log_scope scope{nothing};
                             log(level::error, "a.b");
                             EXPECT_FALSE(log_enabled(level::error));
                         }),
              "");
}

TEST_F(log_test, a_record_is_an_object_with_its_numbers) {
    std::vector<json::value> lines;
    const auto route = std::make_shared<const log_route>(
        level::info, [&lines](const log_record& record) { lines.push_back(to_json(record)); });
    const log_scope scope{route};
    log(level::warn, "x.y", {{"pid", 4242}, {"late", true}, {"id", std::string{"7"}}});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines.front().at("level").as_string(), "warn");
    EXPECT_EQ(lines.front().at("event").as_string(), "x.y");
    EXPECT_EQ(lines.front().at("pid").as_int(), 4242);
    EXPECT_TRUE(lines.front().at("late").as_bool());
    EXPECT_EQ(lines.front().at("id").as_string(), "7");
    EXPECT_NO_THROW((void)date_time::parse(lines.front().at("time").as_string()));
}

}  // namespace
}  // namespace sluice::observe
