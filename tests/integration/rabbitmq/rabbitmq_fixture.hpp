#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sluice/error.hpp>

#include "broker/rabbitmq/rabbitmq_broker.hpp"
#include "broker/rabbitmq/topology.hpp"
#include "support/eventually.hpp"
#include "support/notes.hpp"
#include "support/rabbitmq_server.hpp"

namespace sluice::broker::rabbitmq_test {

using sluice::testing::is;
using sluice::testing::note;
using sluice::testing::told;
using std::chrono::milliseconds;
using std::chrono::seconds;
using strings = std::vector<std::string>;

[[nodiscard]] inline duration time_of(const std::function<void()>& call) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration_cast<duration>(std::chrono::steady_clock::now() - begin);
}

/// An exchange of the test's own on the shared node, and a group `audit` that gets all that is published to the stream
/// `shop::order`.
class rabbitmq_test : public ::testing::Test {
protected:
    rabbitmq_test() { static_cast<void>(audit_->read(0, 0, {})); }
    ~rabbitmq_test() override {
        audit_.reset();
        try {
            for (const auto& [stream, group] : groups_) broker_->open_operations()->retire_group(stream, group);
        } catch (const broker_error& trouble) {
            ADD_FAILURE() << trouble.what();
        }
    }

    [[nodiscard]] rabbitmq_options options() const {
        return {.uri = node_.uri(),
                .exchange = exchange_,
                .declare = true,
                .connect_timeout = seconds{20},
                .answer_timeout = seconds{20}};
    }
    /// A name of the test's own; its queues go with the test.
    [[nodiscard]] std::string group(const std::string& name, const std::string& stream = "shop::order") {
        auto full = exchange_ + "-" + name;
        groups_.emplace_back(stream, full);
        return full;
    }
    /// A note without a body has its id as one.
    static std::vector<verdict> publish(publisher& to, std::vector<note> notes, duration timeout = seconds{30}) {
        for (note& each : notes) {
            if (each.body.empty()) each.body = each.id;
            each.content_type = "application/json";
        }
        return sluice::testing::publish(to, notes, timeout);
    }
    [[nodiscard]] static strings read_some(reader& from, std::size_t most,
                                           duration patience = sluice::testing::long_enough, bool ack = true) {
        strings bodies;
        base::wake_signal nobody;
        const auto until = std::chrono::steady_clock::now() + patience;
        while (bodies.size() < most && std::chrono::steady_clock::now() < until) {
            try {
                strings entries;
                for (const auto& each : from.read(0, most - bodies.size(), {})) {
                    bodies.push_back(each.body);
                    entries.push_back(each.entry);
                }
                if (ack) from.ack(0, entries);
            } catch (const broker_error&) {
                // The node was away; the next read connects again.
            }
            if (bodies.size() < most) static_cast<void>(from.wait(nobody, milliseconds{100}));
        }
        return bodies;
    }
    /// Everything that has arrived, once nothing more comes for a moment.
    [[nodiscard]] strings everything(std::size_t at_least) {
        strings all = read_some(*audit_, at_least);
        for (const auto& each : read_some(*audit_, 1'000'000, milliseconds{300})) all.push_back(each);
        return all;
    }
    /// A connection of the test's own, for getting in the way.
    [[nodiscard]] rabbitmq::link another() {
        return rabbitmq::link{std::make_shared<rabbitmq::server>(options()), "test"};
    }
    void delete_exchange() {
        auto link = another();
        const auto until = link.answer_deadline();
        amqp_exchange_delete_t fields{};
        fields.exchange = rabbitmq::bytes_of(exchange_);
        link.open(until).send(AMQP_EXCHANGE_DELETE_METHOD, fields);
        link.open(until).answer(AMQP_EXCHANGE_DELETE_OK_METHOD, until);
    }
    /// A classic queue, bound to the exchange under the routing key.
    void make_queue(const std::string& name, const std::string& key, amqp_table_t arguments = {}) {
        auto link = another();
        const auto until = link.answer_deadline();
        auto& on = link.open(until);
        amqp_queue_declare_t queue{};
        queue.queue = rabbitmq::bytes_of(name);
        queue.durable = 1;
        queue.arguments = arguments;
        on.send(AMQP_QUEUE_DECLARE_METHOD, queue);
        on.answer(AMQP_QUEUE_DECLARE_OK_METHOD, until);
        amqp_queue_bind_t binding{};
        binding.queue = rabbitmq::bytes_of(name);
        binding.exchange = rabbitmq::bytes_of(exchange_);
        binding.routing_key = rabbitmq::bytes_of(key);
        on.send(AMQP_QUEUE_BIND_METHOD, binding);
        on.answer(AMQP_QUEUE_BIND_OK_METHOD, until);
    }
    void delete_queue(const std::string& name) {
        auto link = another();
        const auto until = link.answer_deadline();
        amqp_queue_delete_t fields{};
        fields.queue = rabbitmq::bytes_of(name);
        link.open(until).send(AMQP_QUEUE_DELETE_METHOD, fields);
        link.open(until).answer(AMQP_QUEUE_DELETE_OK_METHOD, until);
    }

    sluice::testing::rabbitmq::server node_ = sluice::testing::rabbitmq::server::shared();
    std::string exchange_ = sluice::testing::rabbitmq::fresh_name("test");
    std::vector<std::pair<std::string, std::string>> groups_;
    std::unique_ptr<broker> broker_ = make_rabbitmq_broker(options());
    std::unique_ptr<reader> audit_ = broker_->open_reader({"shop::order"}, {.group = group("audit"), .consumer = {}});
};

}  // namespace sluice::broker::rabbitmq_test
