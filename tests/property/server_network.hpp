#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "property/lane_world.hpp"
#include "support/redis_server.hpp"
#include "support/tcp_gate.hpp"

namespace sluice::testing {

/// PostgreSQL and Redis, each behind gates. What befalls the way to the database passes by itself after moments, so
/// that the world, which has one thread, need not wait; a way to a broker stays bad until something else befalls it.
class server_network final : public world_network {
public:
    /// Uses one database of the Redis server for each of `brokers`.
    /// @param time  of the processes; the servers have theirs
    server_network(std::string schema, const redis_server& redis, const std::vector<std::string>& brokers,
                   std::shared_ptr<const clock> time);

    [[nodiscard]] std::shared_ptr<store::database> connect_database() override;
    [[nodiscard]] std::shared_ptr<broker::broker> connect_broker(const std::string& name) override;
    std::string disturb(base::random_source& random) override;
    void calm() override;
    [[nodiscard]] std::vector<std::string> kept(const std::string& broker, const std::string& stream) override;

private:
    struct way {
        way(std::uint16_t port, int database) : gate{port}, number{database} {}

        tcp_gate gate;
        int number;  ///< of the database at the Redis server
    };

    std::string disturb_database(base::random_source& random);
    std::string disturb_broker(base::random_source& random);

    std::string schema_;
    const redis_server& redis_;
    std::shared_ptr<const clock> time_;
    tcp_gate to_database_;
    std::map<std::string, way> to_brokers_;
    std::jthread mender_;  ///< last: uses the gate
};

}  // namespace sluice::testing
