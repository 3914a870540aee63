#include "partners.hpp"

#include <chrono>
#include <set>
#include <utility>

#include <sluice/message.hpp>

#include "broker/broker.hpp"
#include "support/eventually.hpp"
#ifdef SLUICE_WITH_BROKER_KAFKA
#include "broker/kafka/kafka_broker.hpp"
#include "support/kafka_server.hpp"
#endif
#ifdef SLUICE_WITH_BROKER_NATS
#include "broker/nats/nats_broker.hpp"
#include "support/nats_server.hpp"
#endif
#ifdef SLUICE_WITH_BROKER_RABBITMQ
#include "broker/rabbitmq/rabbitmq_broker.hpp"
#include "support/rabbitmq_server.hpp"
#endif
#ifdef SLUICE_WITH_BROKER_WEBHOOK
#include "support/http_endpoint.hpp"
#endif

namespace sluice::chaos {

namespace {

using namespace std::chrono_literals;

constexpr const char* stream = "meters::meter";

arrival arrival_of(const std::string& body) {
    const message read = message::decode(body);
    return {.key = read.metadata().headers.stream, .id = read.id()};
}

/// Reads as a group of our own until so many different messages have come, and then, for copies, until nothing came for
/// a while.
[[maybe_unused]] std::vector<arrival> read_all(broker::broker& from, const std::string& group, std::size_t expected) {
    constexpr std::size_t many = 1000;
    constexpr duration quiet = 2s;
    std::vector<arrival> found;
    std::set<std::string> seen;
    const auto reader = from.open_reader({stream}, {.group = group, .consumer = "auditor"});
    base::wake_signal nobody;
    auto until = std::chrono::steady_clock::now() + sluice::testing::long_enough;
    while (std::chrono::steady_clock::now() < until) {
        std::vector<std::string> entries;
        for (const broker::delivery& each : reader->read(0, many, system_clock().now())) {
            found.push_back(arrival_of(each.body));
            seen.insert(found.back().id);
            entries.push_back(each.entry);
        }
        if (!entries.empty()) {
            reader->ack(0, entries);
            until = std::chrono::steady_clock::now() + (seen.size() < expected ? sluice::testing::long_enough : quiet);
        } else {
            static_cast<void>(reader->wait(nobody, 100ms));
        }
    }
    return found;
}

#ifdef SLUICE_WITH_BROKER_KAFKA
class kafka_partner final : public partner {
public:
    explicit kafka_partner(bool is_transactional) : is_transactional_{is_transactional} {}

    [[nodiscard]] std::string configuration() const override {
        return "provider = \"kafka\"\nURI = \"" + server_.uri() + "\"\ncreate_topics = true\nprefix = \"" + prefix_ +
               "\"\ntransactional = " + (is_transactional_ ? "true" : "false") + "\n";
    }
    [[nodiscard]] std::vector<arrival> arrivals(std::size_t expected) override {
        return read_all(*broker::make_kafka_broker({.uri = server_.uri(), .prefix = prefix_}), "audit", expected);
    }

private:
    bool is_transactional_;
    sluice::testing::kafka_server server_ = sluice::testing::kafka_server::shared();
    std::string prefix_ = "chaos-" + std::to_string(std::chrono::steady_clock::now().time_since_epoch().count()) + ".";
};
#endif

#ifdef SLUICE_WITH_BROKER_NATS
class nats_partner final : public partner {
public:
    explicit nats_partner(const std::filesystem::path& directory) : server_{directory / "nats"} {}

    [[nodiscard]] std::string configuration() const override {
        return "provider = \"nats\"\nURI = \"" + server_.uri() + "\"\ncreate_stream = true\n";
    }
    [[nodiscard]] std::vector<arrival> arrivals(std::size_t /*expected*/) override {
        std::vector<arrival> found;
        for (const std::string& name : server_.streams()) {
            if (name.starts_with("KV_")) continue;
            for (const auto& each : server_.messages(name)) found.push_back(arrival_of(each.body));
        }
        return found;
    }

private:
    sluice::testing::nats_server server_;
};
#endif

#ifdef SLUICE_WITH_BROKER_RABBITMQ
class rabbitmq_partner final : public partner {
public:
    /// The queue is there before anything is published.
    rabbitmq_partner() { static_cast<void>(open()->open_reader({stream}, member())->read(0, 0, {})); }

    [[nodiscard]] std::string configuration() const override {
        return "provider = \"rabbitmq\"\nURI = \"" + server_.uri() + "\"\nexchange = \"" + exchange_ +
               "\"\ndeclare = true\n";
    }
    [[nodiscard]] std::vector<arrival> arrivals(std::size_t expected) override {
        return read_all(*open(), exchange_, expected);
    }

private:
    [[nodiscard]] std::unique_ptr<broker::broker> open() const {
        return broker::make_rabbitmq_broker({.uri = server_.uri(),
                                             .exchange = exchange_,
                                             .declare = true,
                                             .connect_timeout = 20s,
                                             .answer_timeout = 20s});
    }
    [[nodiscard]] broker::membership member() const { return {.group = exchange_, .consumer = "auditor"}; }

    sluice::testing::rabbitmq::server server_ = sluice::testing::rabbitmq::server::shared();
    std::string exchange_ = sluice::testing::rabbitmq::fresh_name("chaos");
};
#endif

#ifdef SLUICE_WITH_BROKER_WEBHOOK
class webhook_partner final : public partner {
public:
    [[nodiscard]] std::string configuration() const override {
        return "provider = \"webhook\"\nURI = \"" + endpoint_.uri() + "\"\nallow_private = true\nsecrets = \"" +
               "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" + "\"\n";
    }
    [[nodiscard]] std::vector<arrival> arrivals(std::size_t /*expected*/) override {
        std::vector<arrival> found;
        for (const auto& each : endpoint_.requests()) found.push_back(arrival_of(each.body));
        return found;
    }

private:
    sluice::testing::http_endpoint endpoint_{
        [](const auto& /*request*/, const auto& /*stop*/) { return sluice::testing::reply_with(204); }};
};
#endif

}  // namespace

const std::vector<partner_kind>& partner_kinds() {
    static const std::vector<partner_kind> kinds{
#ifdef SLUICE_WITH_BROKER_KAFKA
        {.name = "kafka", .make = [](const auto& /*directory*/) { return std::make_unique<kafka_partner>(false); }},
        {.name = "kafka_transactional",
         .make = [](const auto& /*directory*/) { return std::make_unique<kafka_partner>(true); }},
#endif
#ifdef SLUICE_WITH_BROKER_NATS
        {.name = "nats",
         .make = [](const auto& directory) { return std::make_unique<nats_partner>(directory); },
         .recognises_copies = true},
#endif
#ifdef SLUICE_WITH_BROKER_RABBITMQ
        {.name = "rabbitmq", .make = [](const auto& /*directory*/) { return std::make_unique<rabbitmq_partner>(); }},
#endif
#ifdef SLUICE_WITH_BROKER_WEBHOOK
        {.name = "webhook", .make = [](const auto& /*directory*/) { return std::make_unique<webhook_partner>(); }},
#endif
    };
    return kinds;
}

}  // namespace sluice::chaos
