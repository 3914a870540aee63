// A hundred deaths of owners of a lane to Redis.

#include <sluice/json.hpp>

#include "integration/redis/redis_fixture.hpp"
#include "support/near_once.hpp"

namespace sluice::broker::redis_test {
namespace {

class redis_near_once : public sluice::testing::near_once {
protected:
    [[nodiscard]] std::unique_ptr<broker> connect() override { return make_redis_broker({.uri = server_.uri()}); }
    [[nodiscard]] std::vector<std::pair<std::string, int>> messages() override {
        std::vector<std::pair<std::string, int>> result;
        for (const auto& line : lines(server_.cli({"xrange", stream, "-", "+"}))) {
            if (!line.starts_with('{')) continue;
            const auto message = json::parse(line);
            result.emplace_back(message.at("metadata").at("headers").at("stream").as_string(),
                                static_cast<int>(message.at("data").at("n").as_int()));
        }
        return result;
    }

private:
    sluice::testing::redis_server server_{directory_ / "redis"};
};

TEST_F(redis_near_once, over_a_hundred_owners_killed_between_publish_and_settlement) {
    kill_between_publish_and_settlement(120);
}

TEST_F(redis_near_once, over_a_hundred_owners_killed_while_they_publish) { kill_while_they_publish(120); }

TEST_F(redis_near_once, frozen_owners_change_nothing_behind_their_successors) { freeze_past_their_lease(30); }

}  // namespace
}  // namespace sluice::broker::redis_test
