#include "broker/rabbitmq/topology.hpp"

#include <array>

#include <fmt/format.h>

#include "broker/partner_name.hpp"
#include "broker/rabbitmq/close_reason.hpp"
#include "broker/rabbitmq/message_properties.hpp"

namespace sluice::broker::rabbitmq {
namespace {

[[nodiscard]] amqp_table_entry_t text_argument(std::string_view key, std::string_view value) noexcept {
    return {.key = bytes_of(key), .value = {.kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = bytes_of(value)}}};
}
[[nodiscard]] amqp_table_entry_t set_argument(std::string_view key) noexcept {
    return {.key = bytes_of(key), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value = {.boolean = 1}}};
}

[[nodiscard]] amqp_exchange_declare_t declaration_of(std::string_view exchange, bool passive) noexcept {
    amqp_exchange_declare_t fields{};
    fields.exchange = bytes_of(exchange);
    fields.type = bytes_of("topic");
    fields.passive = passive ? 1 : 0;
    fields.durable = 1;
    return fields;
}

/// The same failure, with what to do about it.
[[noreturn]] void advise(const channel_closed& failure, std::string_view remedy) {
    throw channel_closed{failure.reply_code(), fmt::format("{}; {}", failure.what(), remedy)};
}

}  // namespace

std::string routing_key_of(std::string_view stream) { return partner_name(stream); }

std::string objection_to(std::string_view stream) {
    const auto key = routing_key_of(stream);
    if (key.size() > longest_short_text) {
        return fmt::format("the routing key of stream {} is longer than {} bytes", shown_reason(stream),
                           longest_short_text);
    }
    for (const char c : key) {
        if (c == '*' || c == '#' || static_cast<unsigned char>(c) <= ' ' || c == '\x7f') {
            return fmt::format("stream {} has a character that routing keys cannot have (*, #, space, control)",
                               shown_reason(stream));
        }
    }
    return {};
}

std::string queue_of(std::string_view group, std::string_view stream) {
    return fmt::format("{}.{}", group, routing_key_of(stream));
}

void prepare_exchange(connection& on, const net::deadline& until) {
    const auto& options = on.at().options();
    on.send(AMQP_EXCHANGE_DECLARE_METHOD, declaration_of(options.exchange, !options.declare));
    try {
        on.answer(AMQP_EXCHANGE_DECLARE_OK_METHOD, until);
    } catch (const channel_closed& failure) {
        if (failure.reply_code() == AMQP_NOT_FOUND)
            advise(failure, "create it (durable, topic), or set declare = true");
        if (failure.reply_code() == AMQP_PRECONDITION_FAILED) {
            advise(failure, "name another exchange, or set declare = false to use that one");
        }
        throw;
    }
}

queue_depth look_at_queue(connection& on, const std::string& name, const net::deadline& until) {
    amqp_queue_declare_t fields{};
    fields.queue = bytes_of(name);
    fields.passive = 1;
    on.send(AMQP_QUEUE_DECLARE_METHOD, fields);
    const auto& found = on.answer(AMQP_QUEUE_DECLARE_OK_METHOD, until).what.as<amqp_queue_declare_ok_t>();
    return {.messages = found.message_count, .consumers = found.consumer_count};
}

void prepare_queue(connection& on, const std::string& name, std::string_view stream, const net::deadline& until) {
    const auto& options = on.at().options();
    if (!options.declare) {
        try {
            static_cast<void>(look_at_queue(on, name, until));
        } catch (const channel_closed& failure) {
            if (failure.reply_code() != AMQP_NOT_FOUND) throw;
            advise(failure,
                   fmt::format("create it as a quorum queue with x-single-active-consumer and bind it to exchange "
                               "{} with routing key {}, or set declare = true",
                               options.exchange, routing_key_of(stream)));
        }
        return;
    }
    std::array arguments{text_argument("x-queue-type", "quorum"), set_argument("x-single-active-consumer")};
    amqp_queue_declare_t wanted{};
    wanted.queue = bytes_of(name);
    wanted.durable = 1;
    wanted.arguments = {.num_entries = arguments.size(), .entries = arguments.data()};
    on.send(AMQP_QUEUE_DECLARE_METHOD, wanted);
    try {
        on.answer(AMQP_QUEUE_DECLARE_OK_METHOD, until);
    } catch (const channel_closed& failure) {
        if (failure.reply_code() != AMQP_PRECONDITION_FAILED) throw;
        advise(failure,
               "make it anew as a quorum queue with x-single-active-consumer, or set declare = false to use it as "
               "it is");
    }
    const auto key = routing_key_of(stream);
    amqp_queue_bind_t binding{};
    binding.queue = bytes_of(name);
    binding.exchange = bytes_of(options.exchange);
    binding.routing_key = bytes_of(key);
    on.send(AMQP_QUEUE_BIND_METHOD, binding);
    on.answer(AMQP_QUEUE_BIND_OK_METHOD, until);
}

std::vector<hazard> hazards_of_exchange(link& over) {
    const auto until = over.answer_deadline();
    connection& on = over.open(until);
    prepare_exchange(on, until);
    if (over.at().options().declare) return {};  // made as it must be, or found to be so
    const auto& exchange = over.at().options().exchange;
    // An exchange that is there is only compared with what is asked for.
    on.send(AMQP_EXCHANGE_DECLARE_METHOD, declaration_of(exchange, false));
    try {
        on.answer(AMQP_EXCHANGE_DECLARE_OK_METHOD, until);
    } catch (const channel_closed& failure) {
        if (failure.reply_code() != AMQP_PRECONDITION_FAILED) return {};  // this account may not ask
        return {{.code = "RABBITMQ_EXCHANGE_DIFFERS",
                 .message = fmt::format("exchange {} is no durable topic exchange: {}", exchange, failure.what()),
                 .remedy = "make it anew as a durable topic exchange, or be sure that it outlives a restart of the "
                           "server and that every message finds its queue"}};
    }
    return {};
}

}  // namespace sluice::broker::rabbitmq
