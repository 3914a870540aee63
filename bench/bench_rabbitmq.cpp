// Publishing to a RabbitMQ node of its own, through Sluice's publisher and through the bare library, in one run.

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <fmt/core.h>

#include "broker/rabbitmq/rabbitmq_broker.hpp"
#include "common/beside_library.hpp"
#include "common/private_server.hpp"
#include "common/scratch.hpp"
#include "observe/log.hpp"

namespace sluice::bench {
namespace {

using std::chrono::seconds;

struct rabbitmq_scale {
    int rounds = 5;
    int messages = 20'000;
    int batch = 2'000;
    int seconds_of_latency = 5;
};
constexpr int rabbitmq_window = 256;
constexpr const char* rabbitmq_exchange = "bench";

amqp_bytes_t bytes_of(std::string_view text) { return {.len = text.size(), .bytes = const_cast<char*>(text.data())}; }

/// The bare library as its users write it: confirmations read as they come, a window, and waiting for all at the end.
class bare_rabbitmq {
public:
    explicit bare_rabbitmq(int port) : state_{amqp_new_connection()} {
        amqp_socket_t* const socket = amqp_tcp_socket_new(state_);
        if (amqp_socket_open(socket, "127.0.0.1", port) != 0) throw std::runtime_error{"cannot connect"};
        expect_ok(amqp_login(state_, "/", 1, 131'072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"));
        amqp_channel_open(state_, 1);
        expect_ok(amqp_get_rpc_reply(state_));
        amqp_confirm_select(state_, 1);
        expect_ok(amqp_get_rpc_reply(state_));
    }
    bare_rabbitmq(const bare_rabbitmq&) = delete;
    bare_rabbitmq& operator=(const bare_rabbitmq&) = delete;
    ~bare_rabbitmq() { amqp_destroy_connection(state_); }

    void publish(const std::vector<broker::outgoing>& batch) {
        for (const broker::outgoing& each : batch) {
            while (open_.size() >= rabbitmq_window) wait_for_confirmation();
            amqp_table_entry_t key{.key = bytes_of("sluice-key"),
                                   .value = {.kind = AMQP_FIELD_KIND_UTF8, .value = {.bytes = bytes_of(each.key)}}};
            amqp_basic_properties_t properties{};
            properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_HEADERS_FLAG;
            properties.delivery_mode = 2;
            properties.message_id = bytes_of(each.message_id);
            properties.headers = {.num_entries = 1, .entries = &key};
            if (amqp_basic_publish(state_, 1, bytes_of(rabbitmq_exchange), bytes_of("bench.order"), 1, 0, &properties,
                                   bytes_of(each.body)) != AMQP_STATUS_OK) {
                throw std::runtime_error{"cannot publish"};
            }
            open_.insert(++last_);
        }
        while (!open_.empty()) wait_for_confirmation();
    }

private:
    static void expect_ok(const amqp_rpc_reply_t& reply) {
        if (reply.reply_type != AMQP_RESPONSE_NORMAL) throw std::runtime_error{"the node refuses the bare library"};
    }
    void wait_for_confirmation() {
        amqp_frame_t frame;
        amqp_maybe_release_buffers(state_);
        if (amqp_simple_wait_frame(state_, &frame) != AMQP_STATUS_OK || frame.frame_type != AMQP_FRAME_METHOD ||
            frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
            throw std::runtime_error{"no confirmation"};
        }
        const auto* const ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
        if (ack->multiple != 0) {
            open_.erase(open_.begin(), open_.upper_bound(ack->delivery_tag));
        } else {
            open_.erase(ack->delivery_tag);
        }
    }

    amqp_connection_state_t state_;
    std::uint64_t last_ = 0;
    std::set<std::uint64_t> open_;  ///< by number
};

/// Takes what is published, so that the queue stays short.
void take_all(broker::reader& from) {
    for (;;) {
        std::vector<std::string> entries;
        for (const auto& each : from.read(0, 100'000, {})) entries.push_back(each.entry);
        if (entries.empty()) return;
        from.ack(0, entries);
        base::wake_signal nobody;
        static_cast<void>(from.wait(nobody, std::chrono::milliseconds{200}));
    }
}

void measure(const std::filesystem::path& directory, const rabbitmq_scale& size) {
    const scratch place{directory};
    const private_server server{"rabbitmq", place / "rabbitmq"};
    const std::string uri = server.setting("SLUICE_TEST_RABBITMQ_URI");
    const auto broker = broker::make_rabbitmq_broker({.uri = uri,
                                                      .exchange = rabbitmq_exchange,
                                                      .declare = true,
                                                      .window = rabbitmq_window,
                                                      .prefetch = 20'000,
                                                      .connect_timeout = seconds{20},
                                                      .answer_timeout = seconds{20}});
    const auto reader = broker->open_reader({"bench::order"}, {.group = "bench", .consumer = {}});
    take_all(*reader);  // from now on there is a queue
    const auto publisher = broker->open_publisher();
    bare_rabbitmq bare{std::stoi(uri.substr(uri.rfind(':') + 1))};
    const publish_batch by_sluice = through(*publisher);
    const publish_batch by_library = [&](const std::vector<broker::outgoing>& batch) { bare.publish(batch); };
    const auto per_second_read = [&](const publish_batch& publish) {
        reader->release();
        const double rate = per_second(publish, size.messages, size.batch);
        take_all(*reader);
        return rate;
    };

    const rates found = compare(
        size.rounds, [&] { return per_second_read(by_library); }, [&] { return per_second_read(by_sluice); });
    reader->release();
    fmt::print("{} messages of {} bytes to a quorum queue, {} keys, {} in flight\n", size.messages, bytes_of_note,
               keys_of_notes, rabbitmq_window);
    fmt::print("librabbitmq    {:8.0f}/s\n", found.library);
    fmt::print("sluice         {:8.0f}/s   {:.2f} of it\n", found.sluice, found.ratio);
    fmt::print("sluice, 1 key  {:8.0f}/s\n", per_second(by_sluice, size.batch, size.batch, 1));
    for (const int rate : {100, 2'000}) {
        print_latency("librabbitmq", by_library, rate, size.seconds_of_latency);
        print_latency("sluice", by_sluice, rate, size.seconds_of_latency);
    }
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    sluice::bench::rabbitmq_scale size;
    std::filesystem::path directory = std::filesystem::current_path();
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--quick") {
            size = {.rounds = 1, .messages = 4'000, .batch = 1'000, .seconds_of_latency = 1};
        } else if (argument == "--help" || argument.starts_with('-')) {
            fmt::print(
                "usage: bench_rabbitmq [--quick] [DIRECTORY]\nStarts a RabbitMQ node in DIRECTORY (default: here).\n");
            return argument == "--help" ? 0 : 2;
        } else {
            directory = argument;
        }
    }
    try {
        sluice::observe::configure_log({.threshold = sluice::observe::level::warn});
        sluice::bench::measure(directory, size);
    } catch (const std::exception& e) {
        fmt::print(stderr, "bench_rabbitmq: {}\n", e.what());
        return 1;
    }
}
