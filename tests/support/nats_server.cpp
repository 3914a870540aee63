#include "support/nats_server.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

#include <nats/nats.h>

#include "support/server_log.hpp"
#include "support/shell.hpp"

namespace sluice::testing {
namespace {

constexpr std::int64_t million = 1'000'000;

void expect_ok(natsStatus status, const std::string& doing) {
    if (status != NATS_OK) throw std::runtime_error{doing + ": " + natsStatus_GetText(status)};
}

}  // namespace

class nats_server::client {
public:
    explicit client(const std::string& uri) {
        expect_ok(natsConnection_ConnectTo(&connection_, uri.c_str()), "connect to " + uri);
        jsOptions options;
        jsOptions_Init(&options);
        expect_ok(natsConnection_JetStream(&jetstream, connection_, &options), "jetstream");
    }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() {
        natsSubscription_Destroy(ear);
        jsCtx_Destroy(jetstream);
        natsConnection_Destroy(connection_);
    }

    [[nodiscard]] natsConnection* connection() const { return connection_; }

    jsCtx* jetstream = nullptr;
    natsSubscription* ear = nullptr;

private:
    natsConnection* connection_ = nullptr;
};

nats_server::nats_server(std::filesystem::path directory, std::vector<std::string> arguments)
    : directory_{std::move(directory)}, arguments_{std::move(arguments)} {
    start("");
    show_on_failure(directory_ / "nats.log");
}

nats_server::~nats_server() {
    try {
        stop();
    } catch (const std::exception& trouble) {
        std::fputs(trouble.what(), stderr);
    }
}

void nats_server::start(const std::string& environment) {
    std::string command = environment + shell_word(NATS_SCRIPT) + " start " + shell_word(directory_.native());
    for (const auto& argument : arguments_) command += " " + shell_word(argument);
    run_command(command + " </dev/null");
    std::ifstream env{directory_ / "env"};
    for (std::string line; std::getline(env, line);) {
        if (line.starts_with("NATS_PORT=")) {
            port_ = static_cast<std::uint16_t>(std::stoi(line.substr(line.find('=') + 1)));
        }
    }
}

void nats_server::stop() {
    client_.reset();
    run_command(shell_word(NATS_SCRIPT) + " stop " + shell_word(directory_.native()));
}

void nats_server::crash() {
    client_.reset();
    run_command(shell_word(NATS_SCRIPT) + " crash " + shell_word(directory_.native()));
}

void nats_server::start_again() { start("NATS_PORT=" + std::to_string(port_) + " "); }

void nats_server::start_again_without_jetstream() {
    start("NATS_JETSTREAM=off NATS_PORT=" + std::to_string(port_) + " ");
}

void nats_server::freeze() { run_command(shell_word(NATS_SCRIPT) + " freeze " + shell_word(directory_.native())); }

void nats_server::thaw() { run_command(shell_word(NATS_SCRIPT) + " thaw " + shell_word(directory_.native())); }

nats_server::client& nats_server::bare() {
    if (!client_) client_ = std::make_unique<client>(uri());
    return *client_;
}

void nats_server::make_stream(const stream_settings& settings) {
    std::vector<const char*> subjects;
    for (const auto& each : settings.subjects) subjects.push_back(each.c_str());
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    config.Name = settings.name.c_str();
    config.Subjects = subjects.data();
    config.SubjectsLen = static_cast<int>(subjects.size());
    config.MaxMsgs = settings.max_msgs;
    config.MaxBytes = settings.max_bytes;
    config.MaxAge = settings.max_age_s * 1000 * million;
    config.MaxMsgSize = static_cast<std::int32_t>(settings.max_msg_size);
    config.Duplicates = settings.duplicate_window_ms * million;
    config.Discard = settings.discard_new ? js_DiscardNew : js_DiscardOld;
    config.Retention = settings.by_interest ? js_InterestPolicy : js_LimitsPolicy;
    config.Storage = settings.in_memory ? js_MemoryStorage : js_FileStorage;
    expect_ok(js_AddStream(nullptr, bare().jetstream, &config, nullptr, nullptr), "make stream " + settings.name);
}

void nats_server::delete_stream(const std::string& name) {
    expect_ok(js_DeleteStream(bare().jetstream, name.c_str(), nullptr, nullptr), "delete stream " + name);
}

void nats_server::purge_stream(const std::string& name) {
    expect_ok(js_PurgeStream(bare().jetstream, name.c_str(), nullptr, nullptr), "purge stream " + name);
}

std::vector<std::string> nats_server::streams() {
    jsStreamNamesList* list = nullptr;
    const natsStatus status = js_StreamNames(&list, bare().jetstream, nullptr, nullptr);
    if (status == NATS_NOT_FOUND) return {};
    expect_ok(status, "streams");
    std::vector<std::string> names;
    for (int i = 0; i < list->Count; ++i) names.emplace_back(list->List[i]);
    jsStreamNamesList_Destroy(list);
    return names;
}

void nats_server::delete_all_streams() {
    for (const auto& each : streams()) delete_stream(each);
}

std::vector<nats_server::stored> nats_server::messages(const std::string& stream) {
    jsStreamInfo* info = nullptr;
    expect_ok(js_GetStreamInfo(&info, bare().jetstream, stream.c_str(), nullptr, nullptr), "stream " + stream);
    const auto first = info->State.FirstSeq;
    const auto last = info->State.LastSeq;
    jsStreamInfo_Destroy(info);
    std::vector<stored> found;
    for (auto sequence = first; sequence <= last; ++sequence) {
        natsMsg* message = nullptr;
        if (js_GetMsg(&message, bare().jetstream, stream.c_str(), sequence, nullptr, nullptr) != NATS_OK) continue;
        stored each{.subject = natsMsg_GetSubject(message), .head = {}, .body = {}};
        each.body.assign(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
        const char** keys = nullptr;
        int count = 0;
        if (natsMsgHeader_Keys(message, &keys, &count) == NATS_OK) {
            for (int i = 0; i < count; ++i) {
                const char* value = nullptr;
                if (natsMsgHeader_Get(message, keys[i], &value) == NATS_OK) each.head[keys[i]] = value;
            }
            std::free(keys);
        }
        natsMsg_Destroy(message);
        found.push_back(std::move(each));
    }
    return found;
}

std::vector<std::string> nats_server::message_ids(const std::string& stream) {
    std::vector<std::string> ids;
    for (const auto& each : messages(stream)) ids.push_back(each.head.at("Nats-Msg-Id"));
    return ids;
}

void nats_server::publish(const std::string& subject, const std::string& body,
                          const std::map<std::string, std::string>& head) {
    natsMsg* message = nullptr;
    expect_ok(natsMsg_Create(&message, subject.c_str(), nullptr, body.data(), static_cast<int>(body.size())),
              "message");
    for (const auto& [name, value] : head) natsMsgHeader_Add(message, name.c_str(), value.c_str());
    const natsStatus status = js_PublishMsg(nullptr, bare().jetstream, message, nullptr, nullptr);
    natsMsg_Destroy(message);
    expect_ok(status, "publish to " + subject);
}

void nats_server::listen_to(const std::string& subject) {
    natsSubscription_Destroy(std::exchange(bare().ear, nullptr));
    expect_ok(natsConnection_SubscribeSync(&bare().ear, bare().connection(), subject.c_str()), "listen to " + subject);
    expect_ok(natsConnection_Flush(bare().connection()), "listen to " + subject);
}

std::size_t nats_server::heard() {
    // What the server said before its answer has come.
    expect_ok(natsConnection_Flush(bare().connection()), "flush");
    std::uint64_t waiting = 0;
    expect_ok(natsSubscription_QueuedMsgs(bare().ear, &waiting), "count");
    return waiting;
}

std::vector<std::string> nats_server::consumers(const std::string& stream) {
    jsConsumerNamesList* list = nullptr;
    const natsStatus status = js_ConsumerNames(&list, bare().jetstream, stream.c_str(), nullptr, nullptr);
    if (status == NATS_NOT_FOUND) return {};
    expect_ok(status, "consumers of " + stream);
    std::vector<std::string> names;
    for (int i = 0; i < list->Count; ++i) names.emplace_back(list->List[i]);
    jsConsumerNamesList_Destroy(list);
    return names;
}

void nats_server::delete_consumers(const std::string& stream) {
    for (const auto& each : consumers(stream)) {
        expect_ok(js_DeleteConsumer(bare().jetstream, stream.c_str(), each.c_str(), nullptr, nullptr),
                  "delete " + each);
    }
}

void nats_server::make_consumer(const std::string& stream, const std::string& name, const std::string& subject,
                                std::int64_t ack_wait_ms, std::int64_t max_deliver) {
    jsConsumerConfig config;
    jsConsumerConfig_Init(&config);
    config.Durable = name.c_str();
    config.FilterSubject = subject.c_str();
    config.AckPolicy = js_AckExplicit;
    config.AckWait = ack_wait_ms * million;
    config.MaxDeliver = max_deliver;
    expect_ok(js_AddConsumer(nullptr, bare().jetstream, stream.c_str(), &config, nullptr, nullptr), "consumer " + name);
}

std::int64_t nats_server::unacknowledged(const std::string& stream, const std::string& consumer) {
    jsConsumerInfo* info = nullptr;
    expect_ok(js_GetConsumerInfo(&info, bare().jetstream, stream.c_str(), consumer.c_str(), nullptr, nullptr),
              "consumer " + consumer);
    const auto count = info->NumAckPending;
    jsConsumerInfo_Destroy(info);
    return count;
}

std::int64_t nats_server::ack_wait_ms(const std::string& stream, const std::string& consumer) {
    jsConsumerInfo* info = nullptr;
    expect_ok(js_GetConsumerInfo(&info, bare().jetstream, stream.c_str(), consumer.c_str(), nullptr, nullptr),
              "consumer " + consumer);
    const auto wait = info->Config->AckWait / million;
    jsConsumerInfo_Destroy(info);
    return wait;
}

}  // namespace sluice::testing
