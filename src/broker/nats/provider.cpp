#include "broker/nats/provider.hpp"

#include <string>
#include <utility>

#include "base/address_text.hpp"
#include "broker/nats/jetstream.hpp"
#include "broker/nats/nats_broker.hpp"
#include "broker/partner_name.hpp"
#include "broker/tls_keys.hpp"
#include "config/address_warnings.hpp"
#include "config/option_table.hpp"

namespace sluice::broker {

namespace {

using nats_option_table = config::option_table<nats_options>;

constexpr std::int64_t nats_longest_wait_ms = 600'000;
constexpr std::int64_t nats_least_limit_bytes = 1024;
constexpr std::int64_t nats_most_limit_bytes = 64'000'000;  // the server's own bound for max_payload
constexpr std::int64_t nats_most_window = 10'000;
constexpr std::int64_t nats_most_replicas = 5;
constexpr std::int64_t nats_longest_window_ms = 86'400'000;
constexpr std::int64_t nats_most_pending = 1'000'000;

const nats_option_table& nats_table() {
    using options = nats_options;
    static const nats_option_table keys =
        nats_option_table{}
            .milliseconds("connect_timeout_ms", &options::connect_timeout, 1, nats_longest_wait_ms,
                          "How long connecting to one host, TLS and logging in may take together")
            .milliseconds("answer_timeout_ms", &options::answer_timeout, 1, nats_longest_wait_ms,
                          "How long any other call may take")
            .file("credentials_file", &options::credentials_file, "A user's JWT and seed in one file")
            .text("nkey", &options::nkey, "Public key of a user")
            .file("nkey_seed_file", &options::nkey_seed_file, "File with the seed of that key")
            .file("token_file", &options::token_file, "File with the token, in its first line")
            .with(tls_files)
            .with(tls_verify)
            .text("tls_server_name", &options::tls_server_name, "Name that the server's certificate must have")
            .whole("max_message_bytes", &options::max_message_bytes, nats_least_limit_bytes, nats_most_limit_bytes,
                   "Size of the largest body; a larger one is refused for good")
            .whole("window", &options::window, 1, nats_most_window,
                   "Messages of a lane on their way to the server at a time")
            .text("expect_stream", &options::expect_stream, "JetStream's stream that must take what is published")
            .flag("create_stream", &options::create_stream,
                  "Whether a subject that no stream takes gets one of its own")
            .whole("replicas", &options::replicas, 1, nats_most_replicas,
                   "Replicas of a stream that is created, and of the register of groups")
            .milliseconds("duplicate_window_ms", &options::duplicate_window, 100, nats_longest_window_ms,
                          "How long a stream that is created recognises an id")
            .whole("max_ack_pending", &options::max_ack_pending, 1, nats_most_pending,
                   "Messages that a group may have in hand");
    return keys;
}

class nats_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "nats"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::server; }
    [[nodiscard]] bool carries_headers() const override { return true; }
    [[nodiscard]] std::span<const config::provider_option> options() const override { return nats_table().options(); }
    [[nodiscard]] std::size_t largest_message(const config::option_texts& options) const override {
        return nats_table().read(options).max_message_bytes;
    }
    /// JetStream keeps streams apart, not subjects, where each subject gets a stream of its own.
    [[nodiscard]] config::stream_place place_of(std::string_view stream,
                                                const config::option_texts& options) const override {
        std::string subject = partner_name(stream);
        if (!nats_table().read(options).create_stream) return {.what = "subject", .name = std::move(subject)};
        return {.what = "stream of JetStream", .name = nats::stream_name_for(subject)};
    }

    [[nodiscard]] std::vector<config::address_warning> check_address(
        const config::configured_address& at) const override {
        const auto parts = base::read_uri(at.text);
        if (!parts) return {config::ambiguous_address(at.key)};
        const auto options = nats_table().read(at.options);
        if (parts->scheme == "tls") {
            if (options.tls.verify) return {};
            return {config::unverified_server("tls_verify = false",
                                              "remove it, and name the authority with tls_ca_file = \"FILE\"")};
        }
        // Keys are never sent: the server gets a signature.
        const bool shows_secret = !parts->user.empty() || !options.token_file.empty();
        const auto host = config::far_host(parts->authority);
        if (!shows_secret || !host) return {};
        return {config::plain_text(*host, true, "use tls:// and a server with TLS")};
    }

    [[nodiscard]] std::unique_ptr<broker> make(const config::broker_settings& settings) const override {
        return make_nats_broker(nats_table().read(settings.options, {.uri = settings.uri}));
    }
};

}  // namespace

const provider& nats_provider() {
    static const nats_kind kind;
    return kind;
}

}  // namespace sluice::broker
