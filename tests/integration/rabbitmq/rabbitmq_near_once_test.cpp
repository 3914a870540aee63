// A hundred deaths of owners of a lane to RabbitMQ, which has no fence and knows no copies.

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "broker/rabbitmq/rabbitmq_broker.hpp"
#include "support/eventually.hpp"
#include "support/near_once.hpp"
#include "support/rabbitmq_server.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

/// The owners are processes that are forked from this one, which has no connection while it forks.
class rabbitmq_near_once : public sluice::testing::near_once {
protected:
    rabbitmq_near_once() { read_all(0, 0); }
    ~rabbitmq_near_once() override { connect()->open_operations()->retire_group("shop::order", exchange_); }

    [[nodiscard]] std::unique_ptr<broker> connect() override {
        return make_rabbitmq_broker({.uri = node_.uri(),
                                     .exchange = exchange_,
                                     .declare = true,
                                     .prefetch = 10'000,
                                     .connect_timeout = std::chrono::seconds{20},
                                     .answer_timeout = std::chrono::seconds{20}});
    }
    [[nodiscard]] bool knows_copies() const override { return false; }
    [[nodiscard]] std::vector<std::pair<std::string, int>> messages() override {
        std::vector<std::pair<std::string, int>> found;
        for (const auto& each : read_all(1'000'000, committed())) {
            found.emplace_back(each.key, static_cast<int>(json::parse(each.body).at("data").at("n").as_int()));
        }
        return found;
    }

private:
    /// Until so many different ones have come, and then, for copies, until nothing more comes for a second.
    std::vector<delivery> read_all(std::size_t most, std::size_t expected) {
        const auto broker = connect();
        const auto reader = broker->open_reader({"shop::order"}, {.group = exchange_, .consumer = {}});
        std::vector<delivery> all;
        std::set<std::string> seen;
        base::wake_signal nobody;
        const auto more_comes = [&] {
            const duration patience = seen.size() < expected ? sluice::testing::long_enough : std::chrono::seconds{1};
            return reader->wait(nobody, patience) == base::wake_reason::file_changed;
        };
        do {
            for (auto& each : reader->read(0, most, {})) {
                seen.insert(each.body);
                all.push_back(std::move(each));
            }
        } while (most > 0 && more_comes());
        return all;
    }

    sluice::testing::rabbitmq::server node_ = sluice::testing::rabbitmq::server::shared();
    std::string exchange_ = sluice::testing::rabbitmq::fresh_name("near-once");
};

TEST_F(rabbitmq_near_once, over_a_hundred_owners_killed_between_publish_and_settlement) {
    kill_between_publish_and_settlement(120);
}

TEST_F(rabbitmq_near_once, over_a_hundred_owners_killed_while_they_publish) { kill_while_they_publish(120); }

TEST_F(rabbitmq_near_once, frozen_owners_change_nothing_behind_their_successors) { freeze_past_their_lease(30); }

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
