#include "broker/rabbitmq/rabbitmq_broker.hpp"

#include <utility>

#include "broker/rabbitmq/link.hpp"
#include "broker/rabbitmq/rabbitmq_operations.hpp"
#include "broker/rabbitmq/rabbitmq_publisher.hpp"
#include "broker/rabbitmq/rabbitmq_reader.hpp"
#include "broker/rabbitmq/server.hpp"
#include "broker/rabbitmq/topology.hpp"

namespace sluice::broker {
namespace {

class rabbitmq_broker final : public broker {
public:
    explicit rabbitmq_broker(rabbitmq_options options)
        : server_{std::make_shared<rabbitmq::server>(std::move(options))} {}

    [[nodiscard]] std::string describe() const override {
        return (server_->location().tls ? "rabbitmq (TLS) " : "rabbitmq ") + server_->location().name() + " exchange " +
               server_->options().exchange;
    }
    [[nodiscard]] capabilities can() const override {
        return {.keeps_failed = false, .max_message_bytes = server_->options().max_message_bytes};
    }
    [[nodiscard]] std::vector<hazard> hazards() override {
        rabbitmq::link once{server_, "sluice-check"};
        try {
            return rabbitmq::hazards_of_exchange(once);
        } catch (const rabbitmq::outage& trouble) {
            throw once.named(trouble);
        }
    }

    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        return std::make_unique<rabbitmq::rabbitmq_publisher>(server_);
    }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        for (const auto& stream : streams) {
            server_->remember({.stream = stream, .group = member.group, .domain = member.domain});
        }
        return std::make_unique<rabbitmq::rabbitmq_reader>(server_, streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return std::make_unique<rabbitmq::rabbitmq_operations>(server_);
    }

private:
    std::shared_ptr<rabbitmq::server> server_;
};

}  // namespace

std::unique_ptr<broker> make_rabbitmq_broker(rabbitmq_options options) {
    return std::make_unique<rabbitmq_broker>(std::move(options));
}

}  // namespace sluice::broker
