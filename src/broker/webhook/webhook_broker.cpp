#include "broker/webhook/webhook_broker.hpp"

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "broker/webhook/dialer.hpp"
#include "broker/webhook/receiving_broker.hpp"
#include "broker/webhook/secrets.hpp"
#include "broker/webhook/webhook_publisher.hpp"

namespace sluice::broker {
namespace {

using webhook::dialer;
using webhook::endpoint;
using webhook::publisher_terms;
using webhook::signing_keys;
using webhook::webhook_publisher;

std::string read_secrets_file(const std::filesystem::path& file) {
    constexpr std::size_t most_bytes = 65'536;
    std::ifstream in{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in.is_open() || in.bad() || text.size() > most_bytes) {
        throw configuration_error{
            fmt::format("webhook secrets: cannot read {}; it must be a small text file of whsec_… lines that this "
                        "process may read",
                        file.native())};
    }
    return text;
}

signing_keys all_keys(const webhook_options& options) {
    auto keys = webhook::read_secrets(options.secrets);
    if (!options.secrets_file.empty()) {
        for (auto& each : webhook::read_secrets(read_secrets_file(options.secrets_file))) {
            keys.push_back(std::move(each));
        }
    }
    return keys;
}

/// One line of visible characters: it goes into the head of each request.
void check_authorization(const std::string& value) {
    for (const char each : value) {
        if (each < ' ' || each > '~') {
            throw configuration_error{
                "webhook authorization: it holds a character that no header can carry; expected for example "
                "\"Bearer ${TOKEN}\", without line ends"};
        }
    }
}

publisher_terms terms_of(const webhook_options& options, endpoint to, signing_keys keys) {
    check_authorization(options.authorization);
    return {.requests = {.to = std::move(to), .keys = std::move(keys), .authorization = options.authorization},
            .connections = options.connections,
            .answer_timeout = options.answer_timeout,
            .max_message_bytes = options.max_message_bytes,
            .time = options.time != nullptr ? options.time : &system_clock()};
}

/// Where nothing can be posted to.
class no_publisher final : public publisher {
public:
    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& /*from*/,
                                               duration /*timeout*/) override {
        return std::vector<verdict>(batch.size(), unreachable{why});
    }
    [[nodiscard]] std::string probe(duration /*timeout*/) override { return why; }

private:
    static constexpr const char* why = "webhook: this broker only receives; give it a URI to post to";
};

class webhook_broker final : public broker {
public:
    explicit webhook_broker(const webhook_options& options) : max_message_bytes_{options.max_message_bytes} {
        auto keys = all_keys(options);
        if (!options.listen.empty()) receiving_.emplace(options, keys);
        if (!options.uri.empty()) {
            terms_ = terms_of(options, webhook::read_endpoint(options.uri), std::move(keys));
            endpoint_ = std::make_shared<dialer>(terms_.requests.to, options.tls, options.allow_private,
                                                 options.connect_timeout, options.lookup);
        } else if (!receiving_) {
            throw configuration_error{
                "webhook: there is neither a URI to post to nor an address to receive at; give URI = \"https://…\", or "
                "listen = \"HOST:PORT\""};
        }
    }

    [[nodiscard]] std::string describe() const override {
        std::string text = "webhook";
        if (endpoint_) text += ' ' + endpoint_->to().name();
        if (receiving_) text += (endpoint_ ? ", listening on " : " listening on ") + receiving_->name();
        return text;
    }
    [[nodiscard]] capabilities can() const override {
        return {.readable = receiving_.has_value(),
                .keeps_failed = receiving_.has_value(),
                .max_message_bytes = max_message_bytes_};
    }
    [[nodiscard]] std::unique_ptr<publisher> open_publisher() override {
        if (!endpoint_) return std::make_unique<no_publisher>();
        return std::make_unique<webhook_publisher>(endpoint_, terms_);
    }
    [[nodiscard]] std::unique_ptr<reader> open_reader(const std::vector<std::string>& streams,
                                                      const membership& member) override {
        return receiving_ ? receiving_->open_reader(streams, member) : broker::open_reader(streams, member);
    }
    [[nodiscard]] std::unique_ptr<operations> open_operations() override {
        return receiving_ ? receiving_->open_operations() : broker::open_operations();
    }

private:
    std::size_t max_message_bytes_;
    std::optional<webhook::receiving_broker> receiving_;
    publisher_terms terms_{};
    std::shared_ptr<dialer> endpoint_;  ///< null: nothing can be posted
};

}  // namespace

std::unique_ptr<broker> make_webhook_broker(const webhook_options& options) {
    return std::make_unique<webhook_broker>(options);
}

}  // namespace sluice::broker
