#include "broker/nats/nats_broker.hpp"

#include <utility>

#include "broker/nats/durability.hpp"
#include "broker/nats/nats_operations.hpp"
#include "broker/nats/nats_publisher.hpp"
#include "broker/nats/nats_reader.hpp"
#include "broker/nats/server.hpp"

namespace sluice::broker {
namespace {

class nats_broker final : public broker {
public:
    explicit nats_broker(nats_options options) : server_{std::make_shared<nats::server>(std::move(options))} {}

    [[nodiscard]] std::string describe() const override {
        return (server_->location().tls ? "nats (TLS) " : "nats ") + server_->location().name();
    }
    [[nodiscard]] capabilities can() const override {
        return {.keeps_failed = false, .walks = true, .max_message_bytes = server_->options().max_message_bytes};
    }

    [[nodiscard]] std::vector<hazard> hazards() override {
        nats::link once{server_, "sluice-check"};
        try {
            const auto until = once.answer_deadline();
            return nats::ask_hazards(once.open(until), server_->options().expect_stream, until);
        } catch (const nats::outage& trouble) {
            throw nats::outage{"nats " + server_->location().name() + ": " + trouble.what()};
        }
    }

    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        return std::make_unique<nats::nats_publisher>(server_);
    }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return std::make_unique<nats::nats_reader>(server_, streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return std::make_unique<nats::nats_operations>(server_);
    }

private:
    std::shared_ptr<const nats::server> server_;
};

}  // namespace

std::unique_ptr<broker> make_nats_broker(nats_options options) {
    return std::make_unique<nats_broker>(std::move(options));
}

}  // namespace sluice::broker
