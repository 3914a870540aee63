#include "broker/redis/provider.hpp"

#include <array>

#include "base/address_text.hpp"
#include "broker/redis/redis_broker.hpp"
#include "broker/tls_keys.hpp"
#include "config/address_warnings.hpp"
#include "config/option_table.hpp"

namespace sluice::broker {

namespace {

using option_table = config::option_table<redis_options>;

constexpr std::int64_t longest_wait_ms = 600'000;
constexpr std::int64_t most_messages = 1'000'000'000;
constexpr std::int64_t least_limit_bytes = 1024;
constexpr std::int64_t most_limit_bytes = 500'000'000;  // the server takes no text of 512 MB

const option_table& table() {
    using options = redis_options;
    static const option_table keys =
        option_table{}
            .milliseconds("connect_timeout_ms", &options::connect_timeout, 1, longest_wait_ms,
                          "How long looking up the host, connecting and logging in may take together")
            .milliseconds("answer_timeout_ms", &options::answer_timeout, 1, longest_wait_ms,
                          "How long any other call may take without progress")
            .whole("maxlen", &options::maxlen, 0, most_messages, "A stream is cut to about so many messages")
            .whole("dead_letter_maxlen", &options::dead_letter_maxlen, 0, most_messages,
                   "The dead letters of a stream are cut to about so many")
            .whole("max_message_bytes", &options::max_message_bytes, least_limit_bytes, most_limit_bytes,
                   "Size of the largest message; a larger one is refused for good")
            .with(tls_files)
            .with(tls_verify);
    return keys;
}

/// The setting that lets every certificate pass; empty when none does.
std::string unverified_by(const base::uri_parts& parts, const config::option_texts& options) {
    const auto parameters = base::read_query(parts.query);
    const auto by_uri = parameters.find("ssl_cert_reqs");
    if (by_uri != parameters.end() && !by_uri->second.empty()) {
        return by_uri->second == "none" ? "ssl_cert_reqs=none" : "";
    }
    return table().read(options).tls.verify ? "" : "tls_verify = false";
}

class redis_kind final : public provider {
public:
    [[nodiscard]] std::string_view name() const override { return "redis"; }
    [[nodiscard]] config::address_use address() const override { return config::address_use::server; }
    [[nodiscard]] std::span<const config::provider_option> options() const override { return table().options(); }
    [[nodiscard]] std::span<const std::string_view> file_parameters() const override {
        using namespace std::string_view_literals;
        static constexpr std::array keys{"ssl_ca_certs"sv, "ssl_certfile"sv, "ssl_keyfile"sv};
        return keys;
    }
    [[nodiscard]] std::size_t largest_message(const config::option_texts& options) const override {
        return table().read(options).max_message_bytes;
    }

    [[nodiscard]] std::vector<config::address_warning> check_address(
        const config::configured_address& at) const override {
        const auto parts = base::read_uri(at.text);
        if (!parts) return {config::ambiguous_address(at.key)};
        if (parts->scheme == "unix") return {};
        if (parts->scheme == "rediss") {
            const std::string how = unverified_by(*parts, at.options);
            if (how.empty()) return {};
            return {config::unverified_server(how, "remove it, and name the authority with tls_ca_file = \"FILE\"")};
        }
        const auto host = config::far_host(parts->authority);
        if (!parts->password || !host) return {};
        return {config::plain_text(*host, true, "use rediss:// and a port of the server with TLS")};
    }

    [[nodiscard]] std::unique_ptr<broker> make(const config::broker_settings& settings) const override {
        return make_redis_broker(table().read(settings.options, {.uri = settings.uri}));
    }
};

}  // namespace

const provider& redis_provider() {
    static const redis_kind kind;
    return kind;
}

}  // namespace sluice::broker
