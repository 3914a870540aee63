#include "broker/kafka/durability.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> codes(const std::vector<hazard>& all) {
    std::vector<std::string> found;
    for (const auto& each : all) found.push_back(each.code);
    return found;
}

TEST(durability, is_told_where_confirmed_messages_can_be_lost) {
    const broker_settings_map safe{
        {"unclean.leader.election.enable", "false"}, {"min.insync.replicas", "2"}, {"default.replication.factor", "3"}};
    EXPECT_THAT(codes(hazards_of(safe, true, 0)), IsEmpty());
    EXPECT_THAT(codes(hazards_of(safe, true, 1)), ElementsAre("KAFKA_ONE_COPY"));
    const broker_settings_map usual{
        {"unclean.leader.election.enable", "true"}, {"min.insync.replicas", "1"}, {"default.replication.factor", "1"}};
    EXPECT_THAT(codes(hazards_of(usual, true, 0)),
                ElementsAre("KAFKA_UNCLEAN_LEADERS", "KAFKA_ONE_COPY_CONFIRMS", "KAFKA_ONE_COPY"));
    EXPECT_THAT(codes(hazards_of(usual, false, 0)), ElementsAre("KAFKA_UNCLEAN_LEADERS", "KAFKA_ONE_COPY_CONFIRMS"));
}

TEST(durability, is_not_known_where_the_broker_does_not_tell) {
    EXPECT_THAT(codes(hazards_of({}, true, 3)), ElementsAre("KAFKA_NOT_ASKED"));
    EXPECT_THAT(codes(hazards_of({{"min.insync.replicas", "many"}}, true, 3)), IsEmpty());
}

}  // namespace
}  // namespace sluice::broker::kafka
