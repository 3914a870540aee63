// A node that is killed and comes back: what was confirmed is there, in order.

#include <atomic>
#include <map>
#include <thread>

#include "integration/rabbitmq/rabbitmq_fixture.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

class killed_node : public rabbitmq_test {
protected:
    /// The node writes the register of its quorum queues every three minutes. One that is killed before that forgets
    /// what was in a new queue (docs/brokers/rabbitmq.md).
    killed_node() { node_.ctl({"eval", "[dets:sync(T) || T <- dets:all()]."}); }
};

TEST_F(killed_node, loses_and_inverts_nothing_that_it_confirmed) {
    constexpr int keys = 10;
    constexpr int of_each = 100;
    std::atomic<int> sent{0};
    std::thread lane{[&] {
        const auto to = broker_->open_publisher();
        std::map<int, int> next;
        const auto give_up =
            std::chrono::steady_clock::now() + seconds{100};  // longer than a publisher waits for confirmations
        while (sent < keys * of_each && std::chrono::steady_clock::now() < give_up) {
            std::vector<note> batch;
            for (int key = 0; key < keys; ++key) {
                for (int n = next[key]; n < std::min(next[key] + 5, of_each); ++n) {
                    batch.push_back({.id = fmt::format("{}/{}", key, n), .key = fmt::format("k{}", key)});
                }
            }
            const auto verdicts = publish(*to, batch, seconds{2});
            for (std::size_t i = 0; i < batch.size(); ++i) {
                if (!is<delivered>(verdicts[i])) continue;
                ++sent;
                ++next[std::stoi(batch[i].id)];
            }
        }
    }};
    EXPECT_TRUE(sluice::testing::eventually([&] { return sent > 100; }));
    node_.control("crash");
    node_.control("start");
    lane.join();

    std::map<int, int> last;
    std::size_t copies = 0;
    std::size_t distinct = 0;
    for (const auto& id : everything(keys * of_each)) {
        const int key = std::stoi(id);
        const int number = std::stoi(id.substr(id.find('/') + 1));
        auto& before = last.try_emplace(key, -1).first->second;
        if (number <= before) {
            ++copies;
            continue;
        }
        EXPECT_EQ(number, before + 1) << "of key " << key;
        before = number;
        ++distinct;
    }
    EXPECT_EQ(distinct, std::size_t{keys * of_each});
    EXPECT_LE(copies, std::size_t{keys}) << "one of each key was on its way";
    RecordProperty("copies", std::to_string(copies));
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
