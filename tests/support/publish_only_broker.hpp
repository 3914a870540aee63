#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/broker.hpp"

namespace sluice::testing {

/// A partner that takes messages and is nothing else: no readers, no operations, no memory of ids, no fences.
class publish_only_broker final : public broker::broker {
public:
    struct message {
        std::string id;
        std::string body;
        envelope::header_list head;
        std::string content_type;
    };

    [[nodiscard]] std::string describe() const override { return "a partner's door"; }
    [[nodiscard]] sluice::broker::capabilities can() const override {
        return {.readable = false, .keeps_failed = false, .cross_process = true};
    }
    [[nodiscard]] std::unique_ptr<sluice::broker::publisher> open_publisher() override {
        return std::make_unique<door>(taken_);
    }

    /// In the order of their coming.
    [[nodiscard]] std::vector<message> taken() const {
        const std::lock_guard lock{taken_->mutex};
        return taken_->messages;
    }

private:
    struct record {
        std::mutex mutex;
        std::vector<message> messages;
    };

    class door final : public sluice::broker::publisher {
    public:
        explicit door(std::shared_ptr<record> into) : into_{std::move(into)} {}

        [[nodiscard]] std::vector<sluice::broker::verdict> publish(std::span<const sluice::broker::outgoing> batch,
                                                                   const sluice::broker::producer& /*from*/,
                                                                   duration /*timeout*/) override {
            const std::lock_guard lock{into_->mutex};
            std::vector<sluice::broker::verdict> verdicts;
            for (const sluice::broker::outgoing& each : batch) {
                into_->messages.push_back({.id = std::string{each.message_id},
                                           .body = std::string{each.body},
                                           .head = {each.head.begin(), each.head.end()},
                                           .content_type = std::string{each.content_type}});
                verdicts.emplace_back(sluice::broker::delivered{std::to_string(into_->messages.size())});
            }
            return verdicts;
        }
        [[nodiscard]] std::string probe(duration /*timeout*/) override { return {}; }

    private:
        std::shared_ptr<record> into_;
    };

    std::shared_ptr<record> taken_ = std::make_shared<record>();
};

}  // namespace sluice::testing
