#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/keeperless_operations.hpp"
#include "broker/rabbitmq/link.hpp"
#include "broker/rabbitmq/topology.hpp"

namespace sluice::broker::rabbitmq {

/// What the protocol can be asked for: how many messages wait in a queue whose name is known. It lists no queues, so
/// the groups are those that this process reads for; of others `rabbitmqctl list_queues` tells.
class rabbitmq_operations final : public keeperless_operations {
public:
    explicit rabbitmq_operations(std::shared_ptr<server> at) : link_{std::move(at), "sluice-operations"} {}

    [[nodiscard]] std::vector<group_status> groups() override;
    [[nodiscard]] std::vector<known_group> known_groups() override;
    std::size_t rename_group(std::string_view from, std::string_view to) override;
    std::size_t retire_group(std::string_view stream, std::string_view group) override;
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }

private:
    /// Nothing when the queue is not there.
    [[nodiscard]] std::optional<queue_depth> depth_of(const std::string& queue);
    [[nodiscard]] bool remove(const std::string& queue);

    link link_;
    net::haste haste_;
};

}  // namespace sluice::broker::rabbitmq
