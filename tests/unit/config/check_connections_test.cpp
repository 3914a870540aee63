#include "config/check_connections.hpp"

#include <gmock/gmock.h>

#include "unit/config/configured.hpp"

namespace sluice::config {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class check_connections_test : public ::testing::Test {
protected:
    check_connections_test() {
        with_.outbox.external_brokers = {"partner"};
        domain_.aggregates["shop::Order"].database = "default";
        of_database("postgresql");
    }

    void of_database(const std::string& provider, const option_texts& options = {}) {
        with_.databases["default"] = configured_database(provider, "shop", options);
    }
    [[nodiscard]] std::vector<std::string> said() const {
        std::vector<finding> found;
        check_connections(domain_, with_, found);
        std::vector<std::string> all;
        for (const finding& each : found) {
            EXPECT_EQ(each.element, "databases.default");
            EXPECT_EQ(each.code, "TOO_FEW_CONNECTIONS");
            all.push_back(std::string{to_string(each.level)} + ": " + each.message + "; " + each.remedy);
        }
        return all;
    }

    detail::registry domain_;
    configuration with_;
};

TEST_F(check_connections_test, says_nothing_while_two_are_left) {
    EXPECT_THAT(said(), IsEmpty());
    with_.outbox.lanes["partner"].shards = 13;
    EXPECT_THAT(said(), IsEmpty()) << "14 of 16";
}

TEST_F(check_connections_test, warns_when_one_is_left) {
    with_.outbox.lanes["partner"].shards = 14;
    EXPECT_THAT(said(),
                ElementsAre("warning: max_connections of database \"default\" is 16, and an engine keeps 15 for "
                            "its lanes (shards: default 1, partner 14), which leaves one for units of work and "
                            "operators; set max_connections to 17 or more, or lower shards"));
    of_database("postgresql", {{"max_connections", "17"}});
    EXPECT_THAT(said(), IsEmpty());
}

TEST_F(check_connections_test, refuses_more_lanes_than_connections) {
    with_.outbox.lanes["default"].shards = 4;
    with_.outbox.lanes["partner"].shards = 12;
    EXPECT_THAT(said(),
                ElementsAre("error: max_connections of database \"default\" is 16, and an engine keeps 16 for "
                            "its lanes (shards: default 4, partner 12), which leaves none for units of work and "
                            "operators; set max_connections to 18 or more, or lower shards"));
}

TEST_F(check_connections_test, counts_sequential_handlers_in_the_default_database) {
    with_.outbox.lanes["partner"].shards = 13;
    domain_.event_handlers.emplace_back();
    EXPECT_THAT(said(), IsEmpty());
    domain_.event_handlers.emplace_back().sequential_key["shop::OrderShipped"] = {};
    EXPECT_THAT(said(),
                ElementsAre("warning: max_connections of database \"default\" is 16, and an engine keeps 14 for "
                            "its lanes (shards: default 1, partner 13) and 1 for sequential handlers, which "
                            "leaves one for units of work and operators; set max_connections to 17 or more, or "
                            "lower shards"));
}

TEST_F(check_connections_test, is_about_databases_with_lanes_and_a_bound) {
    with_.outbox.lanes["partner"].shards = 64;
    domain_.aggregates.clear();
    EXPECT_THAT(said(), IsEmpty());
    domain_.processes["shop::Delivery"].database = "default";
    EXPECT_EQ(said().size(), 1U);
    of_database("sqlite");
    EXPECT_THAT(said(), IsEmpty());
}

}  // namespace
}  // namespace sluice::config
