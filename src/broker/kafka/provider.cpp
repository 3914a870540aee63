#include "broker/kafka/provider.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/address_text.hpp"
#include "broker/kafka/kafka_broker.hpp"
#include "broker/kafka/properties.hpp"
#include "broker/kafka/topic_name.hpp"
#include "broker/tls_keys.hpp"
#include "config/address_warnings.hpp"
#include "config/option_table.hpp"

namespace sluice::broker {
namespace {

using kafka_table = config::option_table<kafka_options>;

constexpr std::int64_t longest_answer_ms = 600'000;
constexpr std::int64_t least_message_bytes = 1024;
constexpr std::int64_t most_message_bytes = 500'000'000;
constexpr std::int64_t most_partitions = 10'000;
constexpr std::int64_t most_copies = 100;

const kafka_table& kafka_keys() {
    using options = kafka_options;
    static const kafka_table keys =
        kafka_table{}
            .choice("sasl_mechanism", &options::sasl_mechanism,
                    std::vector<std::pair<std::string, std::string>>{
                        {"PLAIN", "PLAIN"}, {"SCRAM-SHA-256", "SCRAM-SHA-256"}, {"SCRAM-SHA-512", "SCRAM-SHA-512"}},
                    "How the user of the address logs in")
            .milliseconds("answer_timeout_ms", &options::answer_timeout, 1, longest_answer_ms,
                          "How long any call but publishing may take")
            .whole("max_message_bytes", &options::max_message_bytes, least_message_bytes, most_message_bytes,
                   "Size of the largest message; a larger one is refused for good")
            .text("prefix", &options::prefix, "Stands before the names of topics, groups and transactional ids")
            .flag("create_topics", &options::create_topics, "Whether a topic that is not there is made")
            .whole("partitions", &options::partitions, 1, most_partitions, "Partitions of a topic that is made")
            .whole("replication", &options::replication, 0, most_copies,
                   "Copies of each partition of a topic that is made; 0 leaves it to the broker")
            .flag("transactional", &options::transactional,
                  "Whether each batch is a transaction, which fences a former owner of the lane")
            .with(tls_files)
            .with(tls_verify)
            .table("kafka", &options::properties, kafka::objection_to, "Further properties of librdkafka");
    return keys;
}

class kafka_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "kafka"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::server; }
    [[nodiscard]] bool carries_headers() const override { return true; }
    [[nodiscard]] std::span<const config::provider_option> options() const override { return kafka_keys().options(); }
    [[nodiscard]] std::size_t largest_message(const config::option_texts& options) const override {
        return kafka_keys().read(options).max_message_bytes;
    }
    [[nodiscard]] config::stream_place place_of(std::string_view stream,
                                                const config::option_texts& options) const override {
        std::string topic = kafka::topic_of(kafka_keys().read(options).prefix, stream);
        std::string taken_as = kafka::taken_as(topic);
        return {.what = "topic", .name = std::move(topic), .taken_as = std::move(taken_as)};
    }

    [[nodiscard]] std::vector<config::address_warning> check_address(
        const config::configured_address& at) const override {
        const auto parts = base::read_uri(at.text);
        if (!parts) return {config::ambiguous_address(at.key)};
        const kafka_options options = kafka_keys().read(at.options);
        std::vector<config::address_warning> found;
        if (!parts->user.empty() && kafka::cannot_log_in(options.sasl_mechanism)) {
            found.push_back(
                {"KAFKA_SCRAM",
                 "librdkafka before 2.6.1 cannot log in by SCRAM to brokers that check the whole nonce (Kafka "
                 "3.7.2, 3.9 and newer)",
                 "use sasl_mechanism = \"PLAIN\" over TLS, or a newer librdkafka"});
        }
        const auto host = config::far_host(parts->authority);
        if (parts->scheme == "kafkas" && !options.tls.verify) {
            found.push_back(config::unverified_server("tls_verify = false",
                                                      "remove it, and name the authority with tls_ca_file = \"FILE\""));
        } else if (parts->scheme != "kafkas" && parts->password && host) {
            found.push_back(config::plain_text(*host, true, "use kafkas:// and a listener of the brokers with TLS"));
        }
        return found;
    }

    [[nodiscard]] std::unique_ptr<broker> make(const config::broker_settings& settings) const override {
        return make_kafka_broker(kafka_keys().read(settings.options, {.uri = settings.uri}));
    }
};

}  // namespace

const provider& kafka_provider() {
    static const kafka_kind kind;
    return kind;
}

}  // namespace sluice::broker
