#include "broker/kafka/properties.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <librdkafka/rdkafka.h>

namespace sluice::broker::kafka {
namespace {

struct reserved {
    std::string_view property;
    std::string_view why;
};

constexpr std::string_view by_uri = "the address (URI) says it";
constexpr std::string_view by_promise = "order and no loss rest on the value that Sluice sets";
constexpr std::string_view by_thread = "Sluice calls the library in its own way";
constexpr std::string_view by_key = "it has a key of its own in the section of the broker";

constexpr std::array<reserved, 48> reserved_properties{{
    {"bootstrap.servers", by_uri},
    {"metadata.broker.list", by_uri},
    {"security.protocol", by_uri},
    {"sasl.username", by_uri},
    {"sasl.password", by_uri},
    {"sasl.mechanism", by_key},
    {"sasl.mechanisms", by_key},
    {"ssl.ca.location", by_key},
    {"ssl.certificate.location", by_key},
    {"ssl.key.location", by_key},
    {"enable.ssl.certificate.verification", by_key},
    {"ssl.endpoint.identification.algorithm", by_key},
    {"transactional.id", by_key},
    {"message.max.bytes", by_key},
    {"acks", by_promise},
    {"request.required.acks", by_promise},
    {"enable.idempotence", by_promise},
    {"enable.gapless.guarantee", by_promise},
    {"retries", by_promise},
    {"message.send.max.retries", by_promise},
    {"max.in.flight", by_promise},
    {"max.in.flight.requests.per.connection", by_promise},
    {"message.timeout.ms", by_promise},
    {"delivery.timeout.ms", by_promise},
    {"transaction.timeout.ms", by_promise},
    {"delivery.report.only.error", by_promise},
    {"produce.offset.report", by_promise},
    {"partitioner", by_promise},
    {"partitioner_cb", by_promise},
    {"queuing.strategy", by_promise},
    {"group.id", by_promise},
    {"group.instance.id", by_promise},
    {"partition.assignment.strategy", by_promise},
    {"enable.auto.commit", by_promise},
    {"auto.commit.enable", by_promise},
    {"auto.commit.interval.ms", by_promise},
    {"enable.auto.offset.store", by_promise},
    {"auto.offset.reset", by_promise},
    {"session.timeout.ms", by_promise},
    {"isolation.level", by_promise},
    {"enable.partition.eof", by_thread},
    {"allow.auto.create.topics", by_key},
    {"client.id", by_thread},
    {"log.queue", by_thread},
    {"enabled_events", by_thread},
    {"opaque", by_thread},
    {"plugin.library.paths", "it would load a program into this one"},
    {"test.mock.num.brokers", "it puts a mock in the place of the server"},
}};

void set_file(properties& into, const char* property, const std::filesystem::path& file) {
    if (!file.empty()) into[property] = file.string();
}

std::string milliseconds(duration of) {
    return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(of).count());
}

}  // namespace

std::string objection_to(std::string_view property) {
    const auto* const found = std::ranges::find(reserved_properties, property, &reserved::property);
    if (found != reserved_properties.end()) return std::string{found->why};
    if (property.ends_with("_cb")) return std::string{by_thread};
    return {};
}

bool cannot_log_in(std::string_view mechanism) {
    constexpr int mended = 0x02060100;
    return mechanism.starts_with("SCRAM") && rd_kafka_version() < mended;
}

properties connection_properties(const kafka_options& options, const endpoint& at) {
    properties with;
    // Small answers must not wait for each other.
    with["socket.nagle.disable"] = "true";
    with["reconnect.backoff.max.ms"] = "2000";
    with["topic.metadata.propagation.max.ms"] = "3000";
    for (const auto& [name, value] : options.properties) with.insert_or_assign(name, value);
    with["bootstrap.servers"] = at.servers;
    with["client.id"] = "sluice";
    const bool logs_in = !at.user.empty();
    with["security.protocol"] = logs_in ? (at.tls ? "sasl_ssl" : "sasl_plaintext") : (at.tls ? "ssl" : "plaintext");
    if (logs_in) {
        with["sasl.mechanisms"] = options.sasl_mechanism;
        with["sasl.username"] = at.user;
        with["sasl.password"] = at.password;
    }
    if (at.tls) {
        set_file(with, "ssl.ca.location", options.tls.ca_file);
        set_file(with, "ssl.certificate.location", options.tls.certificate_file);
        set_file(with, "ssl.key.location", options.tls.key_file);
        with["enable.ssl.certificate.verification"] = options.tls.verify ? "true" : "false";
        with["ssl.endpoint.identification.algorithm"] = options.tls.verify ? "https" : "none";
    }
    return with;
}

properties producer_properties(const kafka_options& options, const endpoint& at, duration message_timeout) {
    // What is around a body: key, headers, and the batch.
    constexpr std::size_t around = std::size_t{256} * 1024;
    constexpr std::size_t least_message_bytes = 1'000'000;
    // The library takes none that is not longer than it lingers, and 0 for forever.
    constexpr duration shortest_timeout{std::chrono::milliseconds{10}};
    properties with = connection_properties(options, at);
    with.insert({"linger.ms", "1"});  // while a batch is handed over; see delivery_reports
    with.insert({"batch.size", "262144"});
    with["enable.idempotence"] = "true";
    with["acks"] = "all";
    with["partitioner"] = "murmur2_random";
    with["message.timeout.ms"] = milliseconds(std::max(message_timeout, shortest_timeout));
    with["message.max.bytes"] = std::to_string(std::max(options.max_message_bytes, least_message_bytes) + around);
    return with;
}

properties transactional_properties(const kafka_options& options, const endpoint& at, duration message_timeout,
                                    const std::string& id) {
    // The library wants no transaction to end before its messages do, and takes no second or less.
    constexpr duration shortest{std::chrono::milliseconds{1001}};
    properties with = producer_properties(options, at, message_timeout);
    with["transactional.id"] = options.prefix + id;
    with["transaction.timeout.ms"] = milliseconds(std::max(message_timeout, shortest));
    return with;
}

properties walk_properties(const kafka_options& options, const endpoint& at) {
    properties with = connection_properties(options, at);
    with.insert({"queued.max.messages.kbytes", "8192"});
    with["client.id"] = "sluice-walk";
    with["auto.offset.reset"] = "error";
    with["enable.partition.eof"] = "true";
    with["isolation.level"] = "read_committed";
    return with;
}

properties consumer_properties(const kafka_options& options, const endpoint& at, const membership& who) {
    // A broker takes sessions of 6 s to 30 min, unless it is told otherwise.
    constexpr duration shortest_session{std::chrono::seconds{6}};
    constexpr duration longest_session{std::chrono::minutes{30}};
    constexpr duration usual_poll_interval{std::chrono::minutes{5}};
    constexpr std::size_t longest_client_id = 60;
    const duration session = std::clamp(who.claim, shortest_session, longest_session);
    properties with = connection_properties(options, at);
    with.insert({"heartbeat.interval.ms", "1000"});
    with.insert({"topic.metadata.refresh.interval.ms", "10000"});  // a topic that is made later is found
    with.insert({"queued.max.messages.kbytes", "8192"});
    with["group.id"] = options.prefix + who.group;
    with["client.id"] = who.seat().substr(0, longest_client_id);
    with["session.timeout.ms"] = milliseconds(session);
    with["max.poll.interval.ms"] = milliseconds(std::max(session, usual_poll_interval));
    with["partition.assignment.strategy"] = "cooperative-sticky";
    with["enable.auto.commit"] = "false";
    with["enable.auto.offset.store"] = "false";
    with["auto.offset.reset"] = "error";
    with["isolation.level"] = "read_committed";
    return with;
}

}  // namespace sluice::broker::kafka
