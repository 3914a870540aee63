#include "broker/webhook/provider.hpp"

#include "base/address_text.hpp"
#include "broker/tls_keys.hpp"
#include "broker/webhook/webhook_broker.hpp"
#include "config/address_warnings.hpp"
#include "config/option_table.hpp"

namespace sluice::broker {

namespace {

using option_table = config::option_table<webhook_options>;

constexpr std::int64_t webhook_longest_wait_ms = 600'000;
constexpr std::int64_t webhook_most_connections = 256;
constexpr std::int64_t webhook_most_listen_connections = 100'000;
constexpr std::int64_t webhook_ten_years_in_hours = 87'600;
constexpr std::int64_t webhook_least_limit_bytes = 1024;
constexpr std::int64_t webhook_most_limit_bytes = 100'000'000;

const option_table& webhook_table() {
    using options = webhook_options;
    static const option_table keys =
        option_table{}
            .secret("secrets", &options::secrets,
                    "Secrets that messages are signed with, whsec_…, separated by spaces, the newest first")
            .file("secrets_file", &options::secrets_file, "A file with such secrets")
            .secret("authorization", &options::authorization, "Value of the header Authorization")
            .whole("connections", &options::connections, 1, webhook_most_connections,
                   "Most requests under way at a time; of one key there is one")
            .milliseconds("connect_timeout_ms", &options::connect_timeout, 1, webhook_longest_wait_ms,
                          "How long looking up the host, connecting and TLS may take together")
            .milliseconds("answer_timeout_ms", &options::answer_timeout, 1, webhook_longest_wait_ms,
                          "How long an answer may take; then the message is sent again")
            .whole("max_message_bytes", &options::max_message_bytes, webhook_least_limit_bytes,
                   webhook_most_limit_bytes, "Size of the largest message; a larger one is refused for good")
            .flag("allow_private", &options::allow_private,
                  "Whether addresses that are not of the public internet may be connected to")
            .text("listen", &options::listen,
                  "Address of this machine, HOST:PORT, where messages of others are received")
            .text("stream", &options::stream, "Stream that all received messages belong to")
            .database("inbox_file", &options::inbox_file, "SQLite file that keeps what was received")
            .whole("listen_connections", &options::listen_connections, 1, webhook_most_listen_connections,
                   "Most connections of senders at a time")
            .hours("retention_hours", &options::retention, 1, webhook_ten_years_in_hours,
                   "Age at which received messages may be removed")
            .with(tls_files);
    return keys;
}

class webhook_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "webhook"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::server_if_any; }
    [[nodiscard]] bool carries_headers() const override { return true; }
    [[nodiscard]] std::span<const config::provider_option> options() const override {
        return webhook_table().options();
    }
    [[nodiscard]] std::size_t largest_message(const config::option_texts& options) const override {
        return webhook_table().read(options).max_message_bytes;
    }

    [[nodiscard]] std::vector<config::address_warning> check_address(
        const config::configured_address& at) const override {
        const auto options = webhook_table().read(at.options);
        std::vector<config::address_warning> found;
        if (config::far_host(options.listen)) {
            found.push_back({.code = "PLAIN_TEXT",
                             .message = "what comes to " + options.listen + " is not encrypted here",
                             .remedy =
                                 "listen on 127.0.0.1 behind a proxy that speaks TLS, or see to it that only such "
                                 "a proxy reaches the port"});
        }
        if (at.text.empty()) return found;
        const auto parts = base::read_uri(at.text);
        if (!parts) return {config::ambiguous_address(at.key)};
        if (const auto host = config::far_host(parts->authority); parts->scheme == "http" && host) {
            found.push_back(config::plain_text(*host, !options.authorization.empty(), "use https://"));
        }
        if (options.secrets.empty() && options.secrets_file.empty()) {
            found.push_back({.code = "UNSIGNED",
                             .message = "messages are not signed: whoever gets one cannot know that it is from here",
                             .remedy = "agree on a secret with the receiver and give it as secrets = \"${VAR}\""});
        }
        return found;
    }

    [[nodiscard]] std::unique_ptr<broker> make(const config::broker_settings& settings) const override {
        return make_webhook_broker(
            webhook_table().read(settings.options, {.uri = settings.uri, .look_only = settings.look_only}));
    }
};

}  // namespace

const provider& webhook_provider() {
    static const webhook_kind kind;
    return kind;
}

}  // namespace sluice::broker
