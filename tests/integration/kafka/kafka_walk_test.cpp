// What an audit reads of a real cluster.

#include <algorithm>
#include <iterator>
#include <optional>

#include <sluice/error.hpp>

#include "integration/kafka/kafka_fixture.hpp"

namespace sluice::broker::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

letter letter_of(const std::string& id, const std::string& key) {
    return {.id = id, .key = key, .body = R"({"data":{},"metadata":{"headers":{"id":")" + id + "\"}}}"};
}

class kafka_walk : public ::testing::Test {
protected:
    /// Ids of what is there, without what is no message, by their parts.
    [[nodiscard]] static std::vector<std::vector<std::string>> ids_of(stream_walk& walk) {
        std::vector<std::vector<std::string>> parts;
        for (auto page = walk.next(2); !page.empty(); page = walk.next(2)) {
            for (auto& each : page) {
                if (parts.size() <= each.part) parts.resize(each.part + 1);
                if (!each.message_id.empty()) parts[each.part].push_back(std::move(each.message_id));
            }
        }
        return parts;
    }
    [[nodiscard]] std::vector<std::vector<std::string>> walked(broker& in) const {
        const auto operations = in.open_operations();
        return ids_of(*operations->walk("shop::order", std::nullopt));
    }

    kafka_server server_ = kafka_server::shared();
    sluice::testing::kafka_admin admin_{server_.servers()};
};

TEST_F(kafka_walk, goes_through_every_partition_and_tells_what_retention_has_removed_of_each) {
    const auto options = options_for(server_, 3);
    const auto broker = make_kafka_broker(options);
    std::vector<letter> all;
    for (int i = 0; i < 30; ++i) all.push_back(letter_of("m" + std::to_string(i), "k" + std::to_string(i % 10)));
    all.push_back({.id = "foreign", .key = "k1", .body = "not of Sluice"});
    const auto verdicts = send(*broker->open_publisher(), all);
    ASSERT_EQ(count_of<delivered>(verdicts), all.size());

    std::vector<std::string> ids;
    for (auto& part : walked(*broker)) std::ranges::move(part, std::back_inserter(ids));
    EXPECT_THAT(ids, SizeIs(30));
    std::ranges::sort(ids);
    EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());

    // The first entry of one partition goes, as by retention.
    const auto receipt_of = [&](std::size_t i) { return std::get<delivered>(verdicts.at(i)).receipt; };
    const std::string removed = receipt_of(0);
    const auto partition = std::stoi(removed.substr(0, removed.find(':')));
    const auto offset = std::stoll(removed.substr(removed.find(':') + 1));
    admin_.remove_records(options.prefix + "shop.order", partition, offset + 1);
    const auto operations = broker->open_operations();
    const auto walk = operations->walk("shop::order", std::nullopt);
    std::size_t left = 0;
    for (const auto& part : ids_of(*walk)) left += part.size();
    EXPECT_EQ(left, 29U);
    EXPECT_TRUE(walk->has_expired(removed, {}));
    EXPECT_FALSE(walk->has_expired(receipt_of(29), {}));
    EXPECT_FALSE(walk->has_expired("99:1", {})) << "there is no such partition";
    EXPECT_FALSE(walk->has_expired("no receipt", {}));
}

TEST_F(kafka_walk, makes_no_topic) {
    const auto options = options_for(server_);
    const auto broker = make_kafka_broker(options);
    EXPECT_THAT(walked(*broker), IsEmpty());
    EXPECT_THROW(static_cast<void>(log_of(server_, options.prefix + "shop.order")), std::exception);
}

TEST_F(kafka_walk, begins_with_what_is_young_enough) {
    const auto options = options_for(server_);
    const auto broker = make_kafka_broker(options);
    ASSERT_EQ(count_of<delivered>(send(*broker->open_publisher(), {letter_of("a", "k"), letter_of("b", "k")})), 2U);
    const auto operations = broker->open_operations();
    const auto now = system_clock().now();
    EXPECT_THAT(ids_of(*operations->walk("shop::order", now - std::chrono::hours{1})), ElementsAre(SizeIs(2)));
    EXPECT_THAT(ids_of(*operations->walk("shop::order", now + std::chrono::hours{1})), IsEmpty());
}

TEST_F(kafka_walk, says_that_the_cluster_is_away) {
    auto options = options_for(server_);
    options.uri = "kafka://127.0.0.1:1";
    options.answer_timeout = seconds{2};
    const auto broker = make_kafka_broker(options);
    const auto operations = broker->open_operations();
    EXPECT_THROW(static_cast<void>(operations->walk("shop::order", std::nullopt)), broker_error);
}

}  // namespace
}  // namespace sluice::broker::kafka
