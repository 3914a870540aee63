#include "property/server_network.hpp"

#include <chrono>
#include <iterator>
#include <utility>

#include "broker/redis/redis_broker.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "support/postgresql_server.hpp"

namespace sluice::testing {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t longest_cut = 600;  // bytes: anywhere within the first replies

std::uint64_t below(base::random_source& random, std::uint64_t bound) { return random.next() % bound; }

/// Something that spoils a connection. Kept short, so that a slow network does not make a slow test.
std::string spoil(tcp_gate& gate, base::random_source& random) {
    switch (below(random, 6)) {
        case 0:
            gate.refuse(true);
            return "refuses";
        case 1:
            gate.stall(true);
            return "stalls";
        case 2:
            gate.drip(1ms);
            return "drips";
        case 3:
            gate.delay(std::chrono::milliseconds{1 + below(random, 20)});
            return "delays";
        case 4:
            gate.half_close();
            return "half closes";
        default: {
            const auto bytes = below(random, longest_cut);
            gate.cut_after(bytes);
            return "will be cut after " + std::to_string(bytes) + " bytes";
        }
    }
}

}  // namespace

server_network::server_network(std::string schema, const redis_server& redis, const std::vector<std::string>& brokers,
                               std::shared_ptr<const clock> time)
    : schema_{std::move(schema)},
      redis_{redis},
      time_{std::move(time)},
      to_database_{postgresql::server::shared().port()} {
    for (const auto& name : brokers) {
        const auto number = static_cast<int>(to_brokers_.size());
        to_brokers_.try_emplace(name, redis.port(), number);
    }
}

std::shared_ptr<store::database> server_network::connect_database() {
    return store::make_postgresql_database(
        {.conninfo = postgresql::through_port(postgresql::uri(), to_database_.port()),
         .schema = schema_,
         .max_connections = 3,
         .connect_timeout = 2s,
         .statement_timeout = 2s,
         .time = time_.get()});
}

std::shared_ptr<broker::broker> server_network::connect_broker(const std::string& name) {
    const auto& [gate, number] = to_brokers_.at(name);
    return broker::make_redis_broker(
        {.uri = "redis://127.0.0.1:" + std::to_string(gate.port()) + "/" + std::to_string(number),
         .connect_timeout = 100ms,
         .answer_timeout = 200ms});
}

std::string server_network::disturb(base::random_source& random) {
    return below(random, 3) == 0 ? disturb_database(random) : disturb_broker(random);
}

std::string server_network::disturb_database(base::random_source& random) {
    if (mender_.joinable()) mender_.join();
    auto what = "network to the database " + spoil(to_database_, random);
    mender_ = std::jthread{[this, pause = std::chrono::milliseconds{1 + below(random, 40)}] {
        std::this_thread::sleep_for(pause);
        to_database_.open();
    }};
    return what;
}

std::string server_network::disturb_broker(base::random_source& random) {
    const auto at = std::next(to_brokers_.begin(), static_cast<std::ptrdiff_t>(below(random, to_brokers_.size())));
    auto& gate = at->second.gate;
    gate.open();
    const bool better = below(random, 2) == 0;
    return "network to " + at->first + " " + (better ? "is well" : spoil(gate, random));
}

void server_network::calm() {
    if (mender_.joinable()) mender_.join();
    to_database_.open();
    for (auto& [name, to_broker] : to_brokers_) to_broker.gate.open();
}

std::vector<std::string> server_network::kept(const std::string& broker, const std::string& stream) {
    return redis_.message_ids(stream, to_brokers_.at(broker).number);
}

}  // namespace sluice::testing
