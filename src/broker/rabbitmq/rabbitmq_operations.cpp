#include "broker/rabbitmq/rabbitmq_operations.hpp"

#include <fmt/format.h>

#include <sluice/error.hpp>

namespace sluice::broker::rabbitmq {

std::optional<queue_depth> rabbitmq_operations::depth_of(const std::string& queue) {
    const auto in_use = link_.use();
    const auto until = link_.answer_deadline(&haste_);
    try {
        return look_at_queue(link_.open(until), queue, until);
    } catch (const channel_closed& closed) {
        link_.drop();
        if (closed.reply_code() != AMQP_NOT_FOUND) throw link_.named(closed);
        return std::nullopt;
    } catch (const outage& trouble) {
        link_.drop();
        throw link_.named(trouble);
    }
}

std::vector<group_status> rabbitmq_operations::groups() {
    std::vector<group_status> found;
    for (const auto& each : link_.at().known_groups()) {
        const auto depth = depth_of(queue_of(each.group, each.stream));
        if (!depth) continue;
        found.push_back({.stream = each.stream,
                         .group = each.group,
                         .length = depth->messages,
                         .lag = depth->messages,
                         .domain = each.domain});
    }
    return found;
}

std::vector<known_group> rabbitmq_operations::known_groups() {
    auto found = link_.at().known_groups();
    std::erase_if(found, [this](const known_group& each) { return !depth_of(queue_of(each.group, each.stream)); });
    return found;
}

std::size_t rabbitmq_operations::rename_group(std::string_view from, std::string_view to) {
    for (const auto& each : known_groups()) {
        if (each.group != from) continue;
        throw usage_error{fmt::format(
            "RabbitMQ cannot rename queue {}; make queue {}, move the messages there (shovel), and delete the old one",
            queue_of(from, each.stream), queue_of(to, each.stream))};
    }
    return 0;
}

std::size_t rabbitmq_operations::retire_group(std::string_view stream, std::string_view group) {
    if (!stream.empty()) return remove(queue_of(group, stream)) ? 1 : 0;
    std::size_t removed = 0;
    for (const auto& each : link_.at().known_groups()) {
        if (each.group == group && remove(queue_of(each.group, each.stream))) ++removed;
    }
    return removed;
}

bool rabbitmq_operations::remove(const std::string& queue) {
    if (!depth_of(queue)) return false;
    const auto in_use = link_.use();
    const auto until = link_.answer_deadline(&haste_);
    try {
        connection& on = link_.open(until);
        on.send(AMQP_QUEUE_DELETE_METHOD,
                amqp_queue_delete_t{.ticket = 0, .queue = bytes_of(queue), .if_unused = 0, .if_empty = 0, .nowait = 0});
        on.answer(AMQP_QUEUE_DELETE_OK_METHOD, until);
        return true;
    } catch (const outage& trouble) {
        link_.drop();
        throw link_.named(trouble);
    }
}

}  // namespace sluice::broker::rabbitmq
