#include "outbox/dispatch.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

namespace sluice::outbox {
namespace {

using namespace std::chrono_literals;

/// Notes what it is given and answers what it is told.
class noting_publisher final : public broker::publisher {
public:
    struct note {
        std::string stream;
        std::string message_id;
        std::string key;
        std::string body;
    };

    std::vector<broker::verdict> publish(std::span<const broker::outgoing> batch, const broker::producer& from,
                                         duration timeout) override {
        if (fails) throw std::runtime_error{"socket fell off"};
        producer = from;
        allowed = timeout;
        std::vector<broker::verdict> verdicts;
        for (const broker::outgoing& each : batch) {
            sent.push_back({std::string{each.stream}, std::string{each.message_id}, std::string{each.key},
                            std::string{each.body}});
            if (verdicts.size() < answers) verdicts.emplace_back(broker::delivered{"r-" + sent.back().message_id});
        }
        if (!scripted.empty()) return scripted;
        return verdicts;
    }
    std::string probe(duration /*timeout*/) override { return {}; }

    std::vector<broker::verdict> scripted{};  ///< instead of `delivered`
    std::vector<note> sent;
    broker::producer producer;
    duration allowed{};
    std::size_t answers = 1000;
    bool fails = false;
};

store::due_row row(store::sequence seq, const std::string& stream, std::string metadata = R"({"headers":{"id":"m"}})") {
    store::due_row result;
    result.seq = seq;
    result.event = {"m-" + std::to_string(seq), stream, "shop::order", "Shop.X.v1", R"({"n": 1})",
                    std::move(metadata),        {}};
    return result;
}

bool is_delivered(const broker::verdict& verdict) { return std::holds_alternative<broker::delivered>(verdict); }

TEST(dispatch, sends_every_row_in_order_to_its_category) {
    noting_publisher publisher;
    const std::vector rows{row(1, "shop::order-a"), row(2, "shop::order-b")};
    const auto verdicts = dispatch(rows, {}, publisher, {"db/lane", 3}, 5s);
    ASSERT_EQ(verdicts.size(), 2U);
    EXPECT_EQ(std::get<broker::delivered>(verdicts[1]).receipt, "r-m-2");
    ASSERT_EQ(publisher.sent.size(), 2U);
    EXPECT_EQ(publisher.sent[0].stream, "shop::order");
    EXPECT_EQ(publisher.sent[0].message_id, "m-1");
    EXPECT_EQ(publisher.sent[0].key, "shop::order-a");
    EXPECT_EQ(publisher.sent[0].body, R"({"data":{"n": 1},"metadata":{"headers":{"id":"m"}}})");
    EXPECT_EQ(publisher.producer.name, "db/lane");
    EXPECT_EQ(publisher.producer.epoch, 3U);
    EXPECT_EQ(publisher.allowed, 5s);
}

TEST(dispatch, external_lanes_send_the_external_form) {
    noting_publisher publisher;
    const std::vector rows{row(1, "s", R"({"headers":{"id":"m","deadline":"x"},"envelope":{"checksum":"c"}})")};
    (void)dispatch(rows, dispatch_rules::external(), publisher, {}, 5s);
    const auto metadata = json::parse(publisher.sent.at(0).body).at("metadata");
    EXPECT_FALSE(metadata.at("headers").contains("deadline"));
    EXPECT_FALSE(metadata.at("envelope").contains("checksum"));
}

TEST(dispatch, low_priority_goes_to_the_backfill_stream_inside_only) {
    auto low = row(1, "s");
    low.priority = -50;
    auto rules = dispatch_rules::internal({}, {.enabled = true, .threshold = 0});
    EXPECT_EQ(rules.stream_of(low), "shop::order:backfill");
    EXPECT_EQ(rules.stream_of(row(2, "s")), "shop::order") << "the threshold itself is not below it";
    rules.priority_lanes.backfill_suffix = "later";
    EXPECT_EQ(rules.stream_of(low), "shop::order:later");
    EXPECT_EQ(dispatch_rules::external().stream_of(low), "shop::order");
    rules = {};
    EXPECT_EQ(rules.stream_of(low), "shop::order");
}

TEST(dispatch, refuses_what_cannot_be_rendered_and_holds_back_its_stream) {
    noting_publisher publisher;
    const std::vector rows{row(1, "bad", "{broken"), row(2, "good"), row(3, "bad"), row(4, "good")};
    const auto verdicts = dispatch(rows, dispatch_rules::external(), publisher, {}, 5s);
    ASSERT_EQ(verdicts.size(), 4U);
    const auto& refusal = std::get<broker::refused>(verdicts[0]);
    EXPECT_TRUE(refusal.permanent);
    EXPECT_EQ(refusal.code, "unrenderable");
    EXPECT_TRUE(is_delivered(verdicts[1]));
    EXPECT_FALSE(is_delivered(verdicts[2]));
    EXPECT_TRUE(is_delivered(verdicts[3]));
    EXPECT_EQ(publisher.sent.size(), 2U);
}

TEST(dispatch, sends_where_the_template_of_the_lane_leads) {
    noting_publisher publisher;
    std::vector rows{row(1, "s")};
    rows[0].event.type = "Shop.OrderShipped.v1";
    (void)dispatch(rows, dispatch_rules::external({.stream = "eu.{aggregate}.{event}"}), publisher, {}, 5s);
    EXPECT_EQ(publisher.sent.at(0).stream, "eu.order.OrderShipped");
}

TEST(dispatch, refuses_for_good_what_is_too_large_for_the_lane) {
    noting_publisher publisher;
    const std::vector rows{row(1, "a"), row(2, "b", R"({"headers":{"id":")" + std::string(2000, 'x') + "\"}}")};
    auto rules = dispatch_rules::internal({.max_message_bytes = 1024}, {});
    const auto verdicts = dispatch(rows, rules, publisher, {}, 5s);
    EXPECT_TRUE(is_delivered(verdicts[0]));
    const auto& refusal = std::get<broker::refused>(verdicts[1]);
    EXPECT_TRUE(refusal.permanent);
    EXPECT_EQ(
        refusal.reason,
        "message m-2 has 2050 bytes, and max_message_bytes of the lane is 1024; raise it, then `sluice outbox retry`");
}

TEST(dispatch, refuses_a_row_without_stream_category) {
    noting_publisher publisher;
    std::vector rows{row(1, "s")};
    rows[0].event.stream_category.clear();
    const auto verdicts = dispatch(rows, {}, publisher, {}, 5s);
    EXPECT_TRUE(std::get<broker::refused>(verdicts.at(0)).permanent);
    EXPECT_TRUE(publisher.sent.empty());
}

TEST(dispatch, takes_what_a_publisher_throws_or_forgets_for_an_outage) {
    noting_publisher publisher;
    const std::vector rows{row(1, "a"), row(2, "b")};
    publisher.answers = 1;
    auto verdicts = dispatch(rows, {}, publisher, {}, 5s);
    ASSERT_EQ(verdicts.size(), 2U);
    EXPECT_TRUE(is_delivered(verdicts[0]));
    EXPECT_TRUE(std::holds_alternative<broker::unreachable>(verdicts[1]));
    publisher.fails = true;
    verdicts = dispatch(rows, {}, publisher, {}, 5s);
    ASSERT_EQ(verdicts.size(), 2U);
    EXPECT_EQ(std::get<broker::unreachable>(verdicts[0]).reason, "socket fell off");
}

TEST(dispatch, lets_only_listed_extensions_leave) {
    noting_publisher publisher;
    const std::vector rows{row(1, "s", R"({"headers":{"id":"m"},"extensions":{"tenant":"acme","user":"SECRET"}})")};
    (void)dispatch(rows, dispatch_rules::external({.terms = {.extensions = std::vector<std::string>{"tenant"}}}),
                   publisher, {}, 5s);
    EXPECT_EQ(json::dump(json::parse(publisher.sent.at(0).body).at("metadata").at("extensions")),
              R"({"tenant":"acme"})");
}

const std::string two_versions =
    R"({"headers":{"id":"m","type":"Shop.X.v2"},"extensions":{"_also_published":{"1":{"old":1}}}})";

TEST(dispatch, sends_an_older_version_right_after_its_event_under_the_same_key) {
    noting_publisher publisher;
    const std::vector rows{row(1, "a", two_versions), row(2, "a")};
    const auto verdicts = dispatch(rows, dispatch_rules::external(), publisher, {}, 5s);
    ASSERT_EQ(verdicts.size(), 2U);
    EXPECT_EQ(std::get<broker::delivered>(verdicts[0]).receipt, "r-m-1");
    EXPECT_EQ(std::get<broker::delivered>(verdicts[1]).receipt, "r-m-2");
    ASSERT_EQ(publisher.sent.size(), 3U);
    EXPECT_EQ(publisher.sent[0].message_id, "m-1");
    EXPECT_EQ(publisher.sent[1].message_id, "m-1~v1");
    EXPECT_EQ(publisher.sent[2].message_id, "m-2");
    EXPECT_EQ(publisher.sent[1].key, "a");
    EXPECT_EQ(publisher.sent[1].stream, "shop::order");
    EXPECT_TRUE(publisher.sent[1].body.starts_with(R"({"data":{"old":1},)"));
}

TEST(dispatch, sends_no_older_version_to_the_internal_broker) {
    noting_publisher publisher;
    const std::vector rows{row(1, "a", two_versions)};
    (void)dispatch(rows, {}, publisher, {}, 5s);
    EXPECT_EQ(publisher.sent.size(), 1U);
}

TEST(dispatch, counts_a_row_as_delivered_when_all_its_versions_are) {
    noting_publisher publisher;
    const std::vector rows{row(1, "a", two_versions), row(2, "b", two_versions)};
    const broker::verdict yes = broker::delivered{"r"};
    const broker::verdict no = broker::refused{"too old", "old", true};
    const broker::verdict away = broker::unreachable{"gone"};
    const auto verdicts_of = [&](std::vector<broker::verdict> answers) {
        publisher.scripted = std::move(answers);
        return dispatch(rows, dispatch_rules::external(), publisher, {}, 5s);
    };
    auto verdicts = verdicts_of({yes, no, yes, yes});
    ASSERT_EQ(verdicts.size(), 2U);
    EXPECT_EQ(std::get<broker::refused>(verdicts[0]).reason, "m-1~v1: too old");
    EXPECT_TRUE(std::get<broker::refused>(verdicts[0]).permanent);
    EXPECT_TRUE(is_delivered(verdicts[1]));

    verdicts = verdicts_of({no, away, yes, away});
    EXPECT_EQ(std::get<broker::refused>(verdicts[0]).reason, "too old") << "the first that was not delivered decides";
    EXPECT_TRUE(std::holds_alternative<broker::unreachable>(verdicts[1]));

    verdicts = verdicts_of({yes});
    EXPECT_TRUE(std::holds_alternative<broker::unreachable>(verdicts[0])) << "no verdict is an outage";
}

TEST(dispatch, sends_nothing_of_a_row_whose_older_version_cannot_be_rendered) {
    noting_publisher publisher;
    const std::vector rows{row(1, "a", R"({"extensions":{"_also_published":{"one":{}}}})"), row(2, "b")};
    const auto verdicts = dispatch(rows, dispatch_rules::external(), publisher, {}, 5s);
    EXPECT_EQ(std::get<broker::refused>(verdicts[0]).code, "unrenderable");
    ASSERT_EQ(publisher.sent.size(), 1U);
    EXPECT_EQ(publisher.sent[0].message_id, "m-2");
}

}  // namespace
}  // namespace sluice::outbox
