#include <memory>
#include <utility>

#include <fmt/format.h>

#include "broker/sqlite/sqlite_broker.hpp"
#include "broker/webhook/receiver.hpp"
#include "broker/webhook/webhook_broker.hpp"
#include "contract/broker_contract.hpp"

namespace sluice::broker::contract {
namespace {

constexpr const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Posts to a receiver in the same process, and reads what that has stored.
class posted_to_itself final : public broker {
public:
    posted_to_itself(const std::filesystem::path& directory, const clock& server_time)
        : inbox_{make_sqlite_broker({.path = directory / "inbox.db", .time = &server_time})},
          receiver_{{.lock_file = directory / "inbox.db-listening", .time = &server_time},
                    {.keys = webhook::read_secrets(secret),
                     .objection_to = [](const std::string&) { return std::optional<webhook::turned_down>{}; }},
                    inbox_->open_publisher()},
          sender_{make_webhook_broker({.uri = fmt::format("http://127.0.0.1:{}/{{stream}}", receiver_.port()),
                                       .secrets = secret,
                                       .allow_private = true,
                                       .time = &server_time})} {}

    [[nodiscard]] std::string describe() const override { return sender_->describe(); }
    [[nodiscard]] capabilities can() const override {
        auto both = sender_->can();
        both.readable = both.keeps_failed = both.walks = true;
        return both;
    }
    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override { return sender_->open_publisher(); }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return inbox_->open_reader(streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override { return inbox_->open_operations(); }

private:
    std::unique_ptr<broker> inbox_;
    webhook::receiver receiver_;
    std::unique_ptr<broker> sender_;
};

INSTANTIATE_TEST_SUITE_P(webhook_broker, broker_contract,
                         ::testing::Values(subject{.name = "webhook",
                                                   .make =
                                                       [](const std::filesystem::path& directory, const clock& time) {
                                                           return std::make_unique<posted_to_itself>(directory, time);
                                                       },
                                                   .fences = false,
                                                   .orders_across_keys = false}),
                         [](const auto& i) { return i.param.name; });

}  // namespace
}  // namespace sluice::broker::contract
