#include "broker/kafka/kafka_broker.hpp"

#include <utility>

#include "broker/kafka/client.hpp"
#include "broker/kafka/cluster.hpp"
#include "broker/kafka/durability.hpp"
#include "broker/kafka/kafka_operations.hpp"
#include "broker/kafka/kafka_publisher.hpp"
#include "broker/kafka/kafka_reader.hpp"
#include "broker/kafka/transactional_publisher.hpp"

namespace sluice::broker {
namespace {

class kafka_broker final : public broker {
public:
    explicit kafka_broker(std::shared_ptr<const kafka::cluster> at) : at_{std::move(at)} {}

    [[nodiscard]] std::string describe() const override {
        return (at_->location.tls ? "kafka (TLS) " : "kafka ") + at_->location.servers;
    }
    [[nodiscard]] capabilities can() const override {
        return {.keeps_failed = false,
                .fences = at_->options.transactional,
                .walks = true,
                .max_message_bytes = at_->options.max_message_bytes};
    }

    [[nodiscard]] std::vector<hazard> hazards() override {
        const auto& options = at_->options;
        const kafka::client once{kafka::client::kind::producer, kafka::connection_properties(options, at_->location)};
        const auto said = kafka::ask_settings(once, net::deadline{options.answer_timeout});
        return kafka::hazards_of(said, options.create_topics, options.replication);
    }

    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        if (at_->options.transactional) return std::make_unique<kafka::transactional_publisher>(at_);
        return std::make_unique<kafka::kafka_publisher>(at_);
    }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return std::make_unique<kafka::kafka_reader>(at_, streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return std::make_unique<kafka::kafka_operations>(at_);
    }

private:
    std::shared_ptr<const kafka::cluster> at_;
};

}  // namespace

std::unique_ptr<broker> make_kafka_broker(kafka_options options) {
    auto at = std::make_shared<kafka::cluster>();
    at->location = kafka::parse_uri(options.uri);
    at->options = std::move(options);
    kafka::check_properties(kafka::producer_properties(at->options, at->location, at->options.answer_timeout));
    return std::make_unique<kafka_broker>(std::move(at));
}

}  // namespace sluice::broker
