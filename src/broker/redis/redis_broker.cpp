#include "broker/redis/redis_broker.hpp"

#include <utility>

#include "broker/redis/connection.hpp"
#include "broker/redis/durability.hpp"
#include "broker/redis/redis_operations.hpp"
#include "broker/redis/redis_publisher.hpp"
#include "broker/redis/redis_reader.hpp"
#include "broker/redis/server.hpp"

namespace sluice::broker {
namespace {

class redis_broker final : public broker {
public:
    explicit redis_broker(redis_options options) : server_{std::make_shared<redis::server>(std::move(options))} {}

    [[nodiscard]] std::string describe() const override {
        return (server_->location().tls ? "redis (TLS) " : "redis ") + server_->location().name();
    }
    [[nodiscard]] capabilities can() const override {
        return {.fences = server_->fences(), .walks = true, .max_message_bytes = server_->options().max_message_bytes};
    }

    [[nodiscard]] std::vector<hazard> hazards() override {
        redis::link once{server_, "sluice-check"};
        try {
            const auto until = once.answer_deadline();
            return redis::hazards_of(redis::ask_durability(once.open(until), until));
        } catch (const redis::outage& trouble) {
            throw once.named(trouble);
        }
    }

    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        return std::make_unique<redis::redis_publisher>(server_);
    }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return std::make_unique<redis::redis_reader>(server_, streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return std::make_unique<redis::redis_operations>(server_);
    }

private:
    std::shared_ptr<redis::server> server_;
};

}  // namespace

std::unique_ptr<broker> make_redis_broker(redis_options options) {
    return std::make_unique<redis_broker>(std::move(options));
}

}  // namespace sluice::broker
