#include "config/check_stream_names.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Calls a stream `shop.order` whose name is `shop::order`, and takes `.` for `_`.
class dotted_kind final : public broker_provider {
public:
    [[nodiscard]] std::string_view name() const override { return "dotted"; }
    [[nodiscard]] address_use address() const override { return address_use::unused; }
    [[nodiscard]] stream_place place_of(std::string_view stream, const option_texts& options) const override {
        std::string name = options.contains("prefix") ? options.at("prefix") : "";
        for (const char c : stream) {
            if (c == ':' && name.ends_with('.')) continue;
            name += c == ':' ? '.' : c;
        }
        std::string taken_as = name;
        std::ranges::replace(taken_as, '.', '_');
        return {.what = "topic", .name = name, .taken_as = taken_as};
    }
};

/// Leaves names as they are.
class plain_kind final : public broker_provider {
public:
    [[nodiscard]] std::string_view name() const override { return "plain"; }
    [[nodiscard]] address_use address() const override { return address_use::unused; }
};

class check_stream_names_test : public ::testing::Test {
protected:
    check_stream_names_test() {
        domain_.name = "shop";
        add_aggregate("Order", "shop::order");
        with_.brokers["default"] = {.name = "default", .kind = &plain_};
        with_.brokers["partner"] = {.name = "partner", .kind = &dotted_};
        with_.outbox.external_brokers = {"partner"};
    }

    void add_aggregate(const std::string& name, const std::string& category) {
        detail::aggregate_entry& aggregate = domain_.aggregates["shop::" + name];
        aggregate.name = name;
        aggregate.category = category;
        detail::event_entry& event = domain_.events["shop::" + name + "Shipped"];
        event.name = name + "Shipped";
        event.type = "Shop." + event.name + ".v1";
        event.aggregate = "shop::" + name;
        event.published = true;
    }
    void add_subscriber(const std::string& broker, const std::string& stream) {
        domain_.subscribers.push_back({.name = "audit", .broker = broker, .stream = stream, .handle = {}});
    }

    [[nodiscard]] std::vector<std::string> said() const {
        std::vector<finding> found;
        check_stream_names(domain_, with_, found);
        std::vector<std::string> texts;
        for (const finding& each : found) {
            EXPECT_EQ(each.level, severity::error);
            EXPECT_EQ(each.code, "STREAMS_SHARE_NAME");
            texts.push_back(each.element + ": " + each.message + "; " + each.remedy);
        }
        return texts;
    }

    dotted_kind dotted_;
    plain_kind plain_;
    detail::registry domain_;
    configuration with_;
};

TEST_F(check_stream_names_test, says_nothing_of_streams_that_stay_apart) {
    add_aggregate("Invoice", "shop::invoice");
    add_subscriber("partner", "shop::order");
    add_subscriber("default", "shop.order");
    EXPECT_THAT(said(), IsEmpty());
}

TEST_F(check_stream_names_test, names_both_streams_their_name_and_what_to_change) {
    add_subscriber("partner", "shop.order");
    EXPECT_THAT(
        said(),
        ElementsAre("brokers.partner: the streams \"shop.order\" (subscriber audit) and \"shop::order\" "
                    "(published event OrderShipped) of broker \"partner\" share the topic \"shop.order\"; write "
                    "them in one way when they are meant to be one, else rename one: .stream of subscriber "
                    "audit, or stream of [outbox.lanes.partner]"));
}

TEST_F(check_stream_names_test, knows_names_that_exclude_each_other) {
    add_subscriber("partner", "shop_order");
    EXPECT_THAT(
        said(),
        ElementsAre("brokers.partner: the streams \"shop::order\" (published event OrderShipped) and "
                    "\"shop_order\" (subscriber audit) of broker \"partner\" would be the topics \"shop.order\" "
                    "and \"shop_order\", of which there can be only one; write them in one way when they are "
                    "meant to be one, else rename one: stream of [outbox.lanes.partner], or .stream of "
                    "subscriber audit"));
}

TEST_F(check_stream_names_test, follows_the_template_and_the_choice_of_a_lane) {
    add_aggregate("Line", "shop::order:line");
    with_.outbox.lanes["partner"].stream = "all";
    EXPECT_THAT(said(), IsEmpty()) << "one stream for all is what was asked for";

    with_.outbox.lanes["partner"].stream = "{stream_category}";
    add_aggregate("Part", "shop::order.line");
    ASSERT_EQ(said().size(), 1U);

    with_.outbox.lanes["partner"].aggregates = {"Order", "Part"};
    EXPECT_THAT(said(), IsEmpty()) << "what the lane does not get has no name there";
}

TEST_F(check_stream_names_test, asks_the_provider_with_the_options_of_the_broker) {
    add_subscriber("partner", "shop.order");
    with_.brokers["partner"].options["prefix"] = "staging.";
    ASSERT_EQ(said().size(), 1U);
    EXPECT_NE(said()[0].find("\"staging.shop.order\""), std::string::npos) << said()[0];
}

TEST_F(check_stream_names_test, knows_what_else_goes_to_the_broker_of_the_context) {
    with_.brokers["default"].kind = &dotted_;
    with_.outbox.external_brokers.clear();
    const auto streams_beside = [&](const std::string& category) {
        detail::registry once;
        std::swap(once, domain_);
        add_aggregate("Order", "shop::order");
        detail::command_entry ship;
        ship.aggregate = "shop::Order";
        domain_.commands["shop::ShipOrder"] = std::move(ship);
        detail::process_entry& process = domain_.processes["shop::Delivery"];
        process.fqn = "shop.Delivery";
        process.timeout_category = "shop::delivery:timeout";
        process.on_timeout = [](process_root&, const timeout&, context&) {};
        add_aggregate("Other", category);
        return said().size();
    };
    EXPECT_EQ(streams_beside("shop::other"), 0U);
    EXPECT_EQ(streams_beside("shop::order.command"), 1U);
    EXPECT_EQ(streams_beside("shop::delivery.timeout"), 1U);
    EXPECT_EQ(streams_beside("shop::order.backfill"), 0U) << "there is no such lane";
    with_.server.priority_lanes.enabled = true;
    EXPECT_EQ(streams_beside("shop::order.backfill"), 1U);
}

}  // namespace
}  // namespace sluice::config
