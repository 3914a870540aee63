// Publishing to a JetStream server of its own, through Sluice's publisher and through the bare library, in one run.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>
#include <nats/nats.h>

#include "broker/nats/nats_broker.hpp"
#include "common/beside_library.hpp"
#include "common/private_server.hpp"
#include "common/scratch.hpp"
#include "observe/log.hpp"

namespace sluice::bench {
namespace {

struct nats_scale {
    int rounds = 5;
    int messages = 40'000;
    int batch = 2'000;
    int seconds_of_latency = 5;
};
constexpr int window = 256;

void expect_ok(natsStatus status) {
    if (status != NATS_OK) throw std::runtime_error{natsStatus_GetText(status)};
}

/// The bare library as its documentation has it: asynchronous, a window, and waiting for all at the end.
class bare_publisher {
public:
    explicit bare_publisher(const std::string& uri) {
        expect_ok(natsConnection_ConnectTo(&connection_, uri.c_str()));
        jsOptions options;
        jsOptions_Init(&options);
        options.PublishAsync.MaxPending = window;
        options.PublishAsync.StallWait = 10'000;
        expect_ok(natsConnection_JetStream(&jetstream_, connection_, &options));
    }
    bare_publisher(const bare_publisher&) = delete;
    bare_publisher& operator=(const bare_publisher&) = delete;
    ~bare_publisher() {
        jsCtx_Destroy(jetstream_);
        natsConnection_Destroy(connection_);
    }

    void make_stream() {
        const char* subject = "bench.order";
        jsStreamConfig config;
        jsStreamConfig_Init(&config);
        config.Name = "BENCH";
        config.Subjects = &subject;
        config.SubjectsLen = 1;
        expect_ok(js_AddStream(nullptr, jetstream_, &config, nullptr, nullptr));
    }
    void publish(const std::vector<broker::outgoing>& batch) {
        for (const broker::outgoing& each : batch) {
            natsMsg* message = nullptr;
            expect_ok(
                natsMsg_Create(&message, "bench.order", nullptr, each.body.data(), static_cast<int>(each.body.size())));
            expect_ok(natsMsgHeader_Set(message, "sluice-key", std::string{each.key}.c_str()));
            const std::string id{each.message_id};
            jsPubOptions options;
            jsPubOptions_Init(&options);
            options.MsgId = id.c_str();
            expect_ok(js_PublishMsgAsync(jetstream_, &message, &options));
        }
        jsPubOptions wait;
        jsPubOptions_Init(&wait);
        wait.MaxWait = 30'000;
        expect_ok(js_PublishAsyncComplete(jetstream_, &wait));
    }

private:
    natsConnection* connection_ = nullptr;
    jsCtx* jetstream_ = nullptr;
};

void measure(const std::filesystem::path& directory, const nats_scale& size) {
    const scratch place{directory};
    const private_server server{"nats", place / "nats"};
    const std::string uri = "nats://127.0.0.1:" + server.setting("NATS_PORT");
    bare_publisher bare{uri};
    bare.make_stream();
    const auto broker = broker::make_nats_broker({.uri = uri, .window = window});
    const auto publisher = broker->open_publisher();
    const publish_batch by_sluice = through(*publisher);
    const publish_batch by_library = [&](const std::vector<broker::outgoing>& batch) { bare.publish(batch); };

    const rates found = compare(
        size.rounds, [&] { return per_second(by_library, size.messages, size.batch); },
        [&] { return per_second(by_sluice, size.messages, size.batch); });
    fmt::print("{} messages of {} bytes, {} keys, {} in flight\n", size.messages, bytes_of_note, keys_of_notes, window);
    fmt::print("libnats async  {:8.0f}/s\n", found.library);
    fmt::print("sluice         {:8.0f}/s   {:.2f} of it\n", found.sluice, found.ratio);
    fmt::print("sluice, 1 key  {:8.0f}/s\n", per_second(by_sluice, size.batch, size.batch, 1));
    for (const int rate : {100, 2'000}) {
        print_latency("libnats", by_library, rate, size.seconds_of_latency);
        print_latency("sluice", by_sluice, rate, size.seconds_of_latency);
    }
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    sluice::bench::nats_scale size;
    std::filesystem::path directory = std::filesystem::current_path();
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--quick") {
            size = {.rounds = 1, .messages = 4'000, .batch = 1'000, .seconds_of_latency = 1};
        } else if (argument == "--help" || argument.starts_with('-')) {
            fmt::print("usage: bench_nats [--quick] [DIRECTORY]\nStarts a nats-server in DIRECTORY (default: here).\n");
            return argument == "--help" ? 0 : 2;
        } else {
            directory = argument;
        }
    }
    try {
        sluice::observe::configure_log({.threshold = sluice::observe::level::warn});
        sluice::bench::measure(directory, size);
    } catch (const std::exception& e) {
        fmt::print(stderr, "bench_nats: {}\n", e.what());
        return 1;
    }
}
