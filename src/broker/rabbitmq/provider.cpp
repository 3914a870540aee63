#include "broker/rabbitmq/provider.hpp"

#include <array>
#include <limits>

#include "base/address_text.hpp"
#include "broker/rabbitmq/rabbitmq_broker.hpp"
#include "broker/rabbitmq/topology.hpp"
#include "broker/tls_keys.hpp"
#include "config/address_warnings.hpp"
#include "config/option_table.hpp"

namespace sluice::broker {

namespace {

using rabbitmq_table = config::option_table<rabbitmq_options>;

constexpr std::int64_t longest_wait_ms = 600'000;
constexpr std::int64_t longest_heartbeat = 3'600;
constexpr std::int64_t most_on_their_way = 10'000;
constexpr std::int64_t least_limit_bytes = 1'024;
constexpr std::int64_t most_limit_bytes = 134'217'728;  // the server's own default

const rabbitmq_table& rabbitmq_keys() {
    using options = rabbitmq_options;
    static const rabbitmq_table keys =
        rabbitmq_table{}
            .text("exchange", &options::exchange, "The durable topic exchange that messages are published to")
            .flag("declare", &options::declare,
                  "Whether exchange and queues are created when they are missing; else they must exist")
            .whole("window", &options::window, 1, most_on_their_way,
                   "Messages on their way without a confirmation, per lane")
            .whole("prefetch", &options::prefetch, 1, std::numeric_limits<std::uint16_t>::max(),
                   "Messages of a stream that a subscription has and has not acknowledged")
            .whole("heartbeat_seconds", &options::heartbeat_seconds, 0, longest_heartbeat,
                   "A server that is silent for twice as long is taken for lost; 0: never")
            .milliseconds("connect_timeout_ms", &options::connect_timeout, 1, longest_wait_ms,
                          "How long looking up the host, connecting and logging in may take together")
            .milliseconds("answer_timeout_ms", &options::answer_timeout, 1, longest_wait_ms,
                          "How long any other call may take")
            .whole("max_message_bytes", &options::max_message_bytes, least_limit_bytes, most_limit_bytes,
                   "Size of the largest message; a larger one is refused for good")
            .with(tls_files)
            .with(tls_verify);
    return keys;
}

/// The setting that lets every certificate pass; empty when none does.
std::string rabbitmq_unverified_by(const base::uri_parts& parts, const config::option_texts& options) {
    const auto parameters = base::read_query(parts.query);
    if (const auto by_uri = parameters.find("verify"); by_uri != parameters.end()) {
        return by_uri->second == "verify_none" ? "verify=verify_none" : "";
    }
    return rabbitmq_keys().read(options).tls.verify ? "" : "tls_verify = false";
}

class rabbitmq_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "rabbitmq"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::server; }
    [[nodiscard]] bool carries_headers() const override { return true; }
    [[nodiscard]] std::span<const config::provider_option> options() const override {
        return rabbitmq_keys().options();
    }
    [[nodiscard]] std::span<const std::string_view> file_parameters() const override {
        using namespace std::string_view_literals;
        static constexpr std::array keys{"cacertfile"sv, "certfile"sv, "keyfile"sv};
        return keys;
    }
    [[nodiscard]] std::size_t largest_message(const config::option_texts& options) const override {
        return rabbitmq_keys().read(options).max_message_bytes;
    }
    [[nodiscard]] config::stream_place place_of(std::string_view stream,
                                                const config::option_texts& /*options*/) const override {
        return {.what = "routing key", .name = rabbitmq::routing_key_of(stream)};
    }
    [[nodiscard]] std::string queue_of(std::string_view group, std::string_view stream) const override {
        return rabbitmq::queue_of(group, stream);
    }

    [[nodiscard]] std::vector<config::address_warning> check_address(
        const config::configured_address& at) const override {
        const auto parts = base::read_uri(at.text);
        if (!parts) return {config::ambiguous_address(at.key)};
        if (parts->scheme == "amqps") {
            const std::string how = rabbitmq_unverified_by(*parts, at.options);
            if (how.empty()) return {};
            return {config::unverified_server(how, "remove it, and name the authority with tls_ca_file = \"FILE\"")};
        }
        const auto host = config::far_host(parts->authority);
        if (!parts->password || !host) return {};
        return {config::plain_text(*host, true, "use amqps:// and a port of the server with TLS")};
    }

    [[nodiscard]] std::unique_ptr<broker> make(const config::broker_settings& settings) const override {
        return make_rabbitmq_broker(rabbitmq_keys().read(settings.options, {.uri = settings.uri}));
    }
};

}  // namespace

const provider& rabbitmq_provider() {
    static const rabbitmq_kind kind;
    return kind;
}

}  // namespace sluice::broker
