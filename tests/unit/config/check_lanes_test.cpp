#include "config/check_lanes.hpp"

#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

namespace lane_check_domain {

class Order;

struct Customer {
    sluice::text name;
    sluice::text email;
};

struct Line {
    sluice::text note;
};

struct OrderShipped {
    static constexpr sluice::event_of<Order> contract{.published = true, .version = 2};
    sluice::identifier order_id;
    std::optional<Customer> buyer;
    std::vector<Line> lines;
    std::map<std::string, Customer> contacts;
    sluice::json::value anything;
};

struct OrderPacked {
    static constexpr sluice::event_of<Order> contract{};
    sluice::text secret;
};

class Order : public sluice::aggregate<Order> {
private:
    sluice::identifier order_id_;

    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_))
};

}  // namespace lane_check_domain

namespace sluice::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class check_lanes_test : public ::testing::Test {
protected:
    check_lanes_test() {
        using namespace lane_check_domain;
        domain_.aggregate<Order>().events<OrderShipped, OrderPacked>();
    }

    /// What is said of the lane `partner`: level, code and message.
    [[nodiscard]] std::vector<std::string> said_of(lane_options lane) const {
        configuration with;
        with.outbox.lanes["partner"] = std::move(lane);
        std::vector<finding> found;
        check_lanes(domain_.declared(), with, found);
        std::vector<std::string> said;
        for (const finding& each : found) {
            EXPECT_EQ(each.element, "outbox.lanes.partner");
            said.push_back(std::string{to_string(each.level)} + " " + each.code + ": " + each.message + "; " +
                           each.remedy);
        }
        return said;
    }
    [[nodiscard]] std::vector<std::string> said_of_redacting(std::vector<std::string> paths) const {
        lane_options lane;
        lane.terms.redact = std::move(paths);
        return said_of(std::move(lane));
    }

    domain domain_{"shop"};
};

TEST_F(check_lanes_test, says_nothing_of_a_lane_that_fits) {
    lane_options lane;
    lane.events = {"OrderShipped", "Shop.*"};
    lane.aggregates = {"Order", "shop::order"};
    lane.terms.redact = {"order_id"};
    EXPECT_THAT(said_of(lane), IsEmpty());
    EXPECT_THAT(said_of({}), IsEmpty());
}

TEST_F(check_lanes_test, warns_of_a_pattern_that_means_nothing) {
    lane_options lane;
    lane.events = {"OrderShiped", "OrderPacked"};
    lane.aggregates = {"Ordr"};
    EXPECT_THAT(
        said_of(lane),
        ElementsAre("warning LANE_MEANS_NOTHING: [outbox.lanes.partner] events: \"OrderShiped\" means no published "
                    "event; did you mean \"OrderShipped\"?",
                    "warning LANE_MEANS_NOTHING: [outbox.lanes.partner] events: \"OrderPacked\" means no published "
                    "event; published are: OrderShipped",
                    "warning LANE_MEANS_NOTHING: [outbox.lanes.partner] aggregates: \"Ordr\" means no aggregate with a "
                    "published event; did you mean \"Order\"?"));
}

TEST_F(check_lanes_test, follows_a_path_through_all_that_holds_members) {
    EXPECT_THAT(said_of_redacting({"buyer.email", "buyer", "lines", "lines.note", "contacts.home.email",
                                   "contacts.home", "anything.at.all"}),
                IsEmpty());
}

TEST_F(check_lanes_test, refuses_to_redact_what_no_event_of_the_lane_has) {
    EXPECT_THAT(said_of_redacting({"buyer.emial"}),
                ElementsAre("error UNKNOWN_MEMBER: [outbox.lanes.partner] redact: no published event of this lane has "
                            "the member \"buyer.emial\"; correct it or remove it: what is meant would leave"));
    EXPECT_EQ(said_of_redacting({"order_id.x"}).size(), 1U) << "a text has no members";
    EXPECT_EQ(said_of_redacting({"lines.0.note"}).size(), 1U) << "a path goes through all elements by itself";
    EXPECT_EQ(said_of_redacting({"secret"}).size(), 1U) << "of an event that is not published";
}

TEST_F(check_lanes_test, cannot_tell_what_older_versions_hold) {
    domain_.also_published<lane_check_domain::OrderShipped, as_version<1>>([](json::object data) { return data; });
    const auto said = said_of_redacting({"old_member"});
    ASSERT_EQ(said.size(), 1U);
    EXPECT_TRUE(said[0].starts_with("warning UNKNOWN_MEMBER")) << said[0];
}

}  // namespace
}  // namespace sluice::config
