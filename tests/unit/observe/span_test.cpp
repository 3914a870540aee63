#include "observe/span.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include <sluice/error.hpp>

#include "observe/log.hpp"
#include "observe/span_source.hpp"
#include "support/captured_log.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::observe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

const trace_parent remote{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true};

class span_test : public ::testing::Test {
protected:
    [[nodiscard]] span_source source(sampler::rule rule = sampler::rule::always_on) {
        return {sampler{rule, true}, clock_, random_, {[this](const finished_span& each) { ended_.push_back(each); }}};
    }

    testing::virtual_clock clock_;
    base::seeded_random random_{1};
    std::vector<finished_span> ended_;
};

TEST_F(span_test, a_root_has_a_trace_of_its_own_and_children_share_it) {
    const span_source spans = source();
    span root = spans.begin("root", span_kind::internal, nullptr);
    span child = spans.begin("child", span_kind::client, root.context());
    child.end();
    root.end();
    ASSERT_THAT(ended_, SizeIs(2));
    EXPECT_THAT(ended_[1].context.trace_id, MatchesRegex("[0-9a-f]{32}"));
    EXPECT_THAT(ended_[1].context.parent_id, MatchesRegex("[0-9a-f]{16}"));
    EXPECT_EQ(ended_[1].parent_id, "");
    EXPECT_EQ(ended_[0].context.trace_id, ended_[1].context.trace_id);
    EXPECT_EQ(ended_[0].parent_id, ended_[1].context.parent_id);
    EXPECT_NE(ended_[0].context.parent_id, ended_[1].context.parent_id);
}

TEST_F(span_test, takes_as_long_as_the_steady_clock_says_and_ends_once) {
    const span_source spans = source();
    const date_time begin = clock_.now();
    {
        span timed = spans.begin("timed", span_kind::internal, &remote);
        clock_.advance(std::chrono::milliseconds{3});
        timed.end();
        clock_.advance(std::chrono::milliseconds{3});
    }
    ASSERT_THAT(ended_, SizeIs(1));
    EXPECT_EQ(ended_[0].begin, begin);
    EXPECT_EQ(ended_[0].took, std::chrono::milliseconds{3});
    EXPECT_EQ(ended_[0].context.trace_id, remote.trace_id);
    EXPECT_EQ(ended_[0].parent_id, remote.parent_id);
}

/// What is not sampled still has a context, so that others do not decide anew.
TEST_F(span_test, what_is_not_sampled_has_a_context_and_reaches_nobody) {
    const span_source spans = source(sampler::rule::always_off);
    span quiet = spans.begin("quiet", span_kind::internal, nullptr);
    ASSERT_NE(quiet.context(), nullptr);
    EXPECT_FALSE(quiet.context()->sampled);
    EXPECT_FALSE(quiet.is_recording());
    quiet.set("key", true);
    quiet.fail("x", "y");
    quiet.end();
    EXPECT_THAT(ended_, IsEmpty());
}

TEST_F(span_test, nothing_is_a_span_too) {
    span nothing;
    EXPECT_EQ(nothing.context(), nullptr);
    nothing.set("key", true);
    nothing.link(remote);
    nothing.fail("x", "y");
    const span_scope scope{nothing};
    EXPECT_EQ(span_here(), nullptr);
}

TEST_F(span_test, keeps_no_more_links_than_others_would_read) {
    const span_source spans = source();
    {
        span linked = spans.begin("linked", span_kind::client, nullptr);
        for (int i = 0; i < 130; ++i) linked.link(remote);
    }
    EXPECT_THAT(ended_.at(0).links, SizeIs(128));
    EXPECT_EQ(ended_.at(0).dropped_links, 2U);
}

TEST_F(span_test, cuts_long_texts_and_puts_errors_on_one_line) {
    const span_source spans = source();
    {
        span failing = spans.begin("failing", span_kind::client, nullptr);
        failing.set_text("long", std::string(5000, 'x'));
        failing.set_text("empty", "");
        failing.fail("odd", "one\ntwo");
    }
    const finished_span& seen = ended_.at(0);
    ASSERT_THAT(seen.attributes, SizeIs(2));
    EXPECT_LT(std::get<std::string>(seen.attributes[0].value).size(), 1100U);
    EXPECT_EQ(seen.attributes[1].key, "error.type");
    EXPECT_TRUE(seen.failed);
    EXPECT_EQ(seen.error, "one two");
}

TEST_F(span_test, within_it_what_is_thrown_fails_it_by_the_word_of_the_error) {
    const span_source spans = source();
    span wrong = spans.begin("wrong", span_kind::internal, nullptr);
    EXPECT_THROW(within(wrong, [] { throw usage_error{"not like this"}; }), usage_error);
    wrong.end();
    span odd = spans.begin("odd", span_kind::internal, nullptr);
    EXPECT_THROW(within(odd, [] { throw std::runtime_error{"boom"}; }), std::runtime_error);
    odd.end();
    EXPECT_EQ(std::get<std::string>(ended_.at(0).attributes.at(0).value), "usage_error");
    EXPECT_EQ(ended_.at(0).error, "not like this");
    EXPECT_EQ(std::get<std::string>(ended_.at(1).attributes.at(0).value), "exception");
}

TEST_F(span_test, spans_of_a_thread_nest) {
    const span_source spans = source();
    span outer = spans.begin("outer", span_kind::internal, nullptr);
    const std::string outer_id = outer.context()->parent_id;
    within(outer, [&] {
        span inner = spans.begin_here("inner", span_kind::internal);
        EXPECT_EQ(trace_here(remote)->parent_id, outer_id);
        EXPECT_EQ(trace_or_here(remote), remote);
        within(inner, [&] { EXPECT_EQ(span_here()->parent_id, inner.context()->parent_id); });
        EXPECT_EQ(span_here()->parent_id, outer_id);
    });
    EXPECT_EQ(span_here(), nullptr);
    EXPECT_EQ(trace_here(remote), remote);
    ASSERT_THAT(ended_, SizeIs(1));
    EXPECT_EQ(ended_[0].parent_id, outer_id);
}

TEST_F(span_test, a_sink_that_throws_disturbs_nobody) {
    const span_source spans{sampler{sampler::rule::always_on, true},
                            clock_,
                            random_,
                            {[](const finished_span&) { throw std::runtime_error{"sink"}; },
                             [this](const finished_span& each) { ended_.push_back(each); }}};
    spans.begin("told", span_kind::internal, nullptr).end();
    EXPECT_THAT(ended_, SizeIs(1));
}

TEST_F(span_test, lines_of_the_log_name_the_span_of_their_thread) {
    const span_source spans = source();
    span here = spans.begin("here", span_kind::internal, &remote);
    testing::captured_log captured;
    log(level::warn, "outside.of_it");
    within(here, [&] { log(level::warn, "inside.of_it", {{"key", 1}}); });
    const std::string written = captured.text();
    EXPECT_THAT(written,
                HasSubstr("inside.of_it key=1 trace_id=" + remote.trace_id + " span_id=" + here.context()->parent_id));
    EXPECT_THAT(written.substr(0, written.find("inside")), Not(HasSubstr("trace_id")));
}

TEST_F(span_test, sinks_of_the_log_get_the_ids_as_fields) {
    const span_source spans = source();
    std::map<std::string, std::string, std::less<>> fields;
    const auto route = std::make_shared<const log_route>(level::info, [&](const log_record& line) {
        for (const log_entry& each : line.fields) fields.emplace(each.key, each.value);
    });
    const log_scope scope{route};
    span here = spans.begin("here", span_kind::internal, &remote);
    within(here, [] { log(level::warn, "inside.of_it"); });
    EXPECT_EQ(fields["trace_id"], remote.trace_id);
    EXPECT_EQ(fields["span_id"], here.context()->parent_id);
}

}  // namespace
}  // namespace sluice::observe
