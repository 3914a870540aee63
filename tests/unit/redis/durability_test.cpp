#include "broker/redis/durability.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> codes(std::string_view info, std::optional<std::string> save = "3600 1") {
    std::vector<std::string> found;
    for (const auto& each : hazards_of(durability::from(info, std::move(save)))) found.push_back(each.code);
    return found;
}

TEST(redis_durability, has_no_hazard_when_the_server_keeps_everything) {
    EXPECT_THAT(codes("maxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\naof_enabled:1\r\n"), IsEmpty()) << "no limit";
    EXPECT_THAT(codes("maxmemory:50\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n", std::nullopt), IsEmpty());
    EXPECT_THAT(codes("maxmemory:50\r\nmaxmemory_policy:volatile-lru\r\naof_enabled:1\r\n"), IsEmpty())
        << "our keys have no expiry";
}

TEST(redis_durability, names_what_can_lose_messages) {
    EXPECT_THAT(codes("maxmemory:52428800\r\nmaxmemory_policy:allkeys-random\r\naof_enabled:1\r\n"),
                ElementsAre("REDIS_EVICTS"));
    EXPECT_THAT(codes("maxmemory:0\nmaxmemory_policy:noeviction\naof_enabled:0\n", ""),
                ElementsAre("REDIS_WITHOUT_PERSISTENCE"));
    EXPECT_THAT(codes("maxmemory:0\nmaxmemory_policy:noeviction\naof_enabled:0\n"),
                ElementsAre("REDIS_KEEPS_SNAPSHOTS_ONLY"));
    EXPECT_THAT(codes("maxmemory:0\nmaxmemory_policy:noeviction\naof_enabled:0\n", std::nullopt),
                ElementsAre("REDIS_KEEPS_SNAPSHOTS_ONLY"))
        << "whether there are save points was not told";
    const auto said = durability::from("maxmemory:1\nmaxmemory_policy:allkeys-lfu\naof_enabled:1", std::nullopt);
    EXPECT_THAT(hazards_of(said).at(0).message, HasSubstr("allkeys-lfu"));
    EXPECT_THAT(hazards_of(said).at(0).remedy, HasSubstr("noeviction"));
}

TEST(redis_durability, says_that_it_could_not_be_asked) {
    EXPECT_THAT(codes("", std::nullopt), ElementsAre("REDIS_NOT_ASKED"));
}

}  // namespace
}  // namespace sluice::broker::redis
