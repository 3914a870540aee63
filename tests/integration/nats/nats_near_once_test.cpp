// A hundred deaths of owners of a lane to NATS. Without a fence the server's duplicate window tells copies.

#include <fstream>

#include <sluice/json.hpp>

#include "integration/nats/nats_fixture.hpp"
#include "support/near_once.hpp"

namespace sluice::broker::nats_test {
namespace {

/// libnats does not survive a fork, so this process never uses it.
class nats_near_once : public sluice::testing::near_once {
protected:
    [[nodiscard]] std::unique_ptr<broker> connect() override {
        return make_nats_broker({.uri = server_.uri(), .create_stream = true});
    }
    [[nodiscard]] std::vector<std::pair<std::string, int>> messages() override {
        const auto file = (directory_ / "messages").native();
        const auto auditor = ::fork();
        if (auditor == 0) {
            std::ofstream to{file};
            for (const auto& each : server_.messages("shop_order")) {
                to << each.head.at("sluice-key") << ' ' << json::parse(each.body).at("data").at("n").as_int() << '\n';
            }
            to.close();
            ::_exit(to ? 0 : 1);
        }
        int status = 0;
        ::waitpid(auditor, &status, 0);
        EXPECT_EQ(status, 0);
        std::vector<std::pair<std::string, int>> found;
        std::ifstream from{file};
        std::string key;
        for (int number = 0; from >> key >> number;) found.emplace_back(key, number);
        return found;
    }

private:
    sluice::testing::nats_server server_{directory_ / "nats"};
};

TEST_F(nats_near_once, over_a_hundred_owners_killed_between_publish_and_settlement) {
    kill_between_publish_and_settlement(120);
}

TEST_F(nats_near_once, over_a_hundred_owners_killed_while_they_publish) { kill_while_they_publish(120); }

TEST_F(nats_near_once, frozen_owners_change_nothing_behind_their_successors) { freeze_past_their_lease(30); }

}  // namespace
}  // namespace sluice::broker::nats_test
