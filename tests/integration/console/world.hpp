#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/sha256.hpp"
#include "broker/broker.hpp"
#include "broker/inline/inline_broker.hpp"
#include "broker/inline/provider.hpp"
#include "command/invocation.hpp"
#include "config/loader.hpp"
#include "console/console.hpp"
#include "console/secrets.hpp"
#include "store/memory/memory_database.hpp"
#include "store/memory/provider.hpp"
#include "support/post_office.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::console {

/// A program that offers nothing: the installation is open already.
class no_host final : public operate::host {
public:
    [[nodiscard]] bool loads_domains() const override { return false; }
    [[nodiscard]] std::unique_ptr<domain> load_domain(const std::string& /*which*/) const override {
        throw configuration_error{"there is no domain"};
    }
    [[nodiscard]] config::providers providers() const override { return {}; }
    [[nodiscard]] commit::adapters make_adapters(const config::configuration& /*of*/) const override { return {}; }
};

/// Anna may act, Ben may look, `ci` is a program that may act.
inline const std::string& hash_of_secret() {
    static const std::string hash = hash_password("secret phrase", base::system_random());
    return hash;
}

inline config::console_settings settings_with_people() {
    config::console_settings settings;
    settings.users["anna"] = {.role = console_role::operating, .password_hash = hash_of_secret()};
    settings.users["ben"] = {.role = console_role::viewer, .password_hash = hash_of_secret()};
    settings.tokens["ci"] = {.role = console_role::operating, .sha256 = base::sha256_hex("token of ci")};
    return settings;
}

/// A post office in memory, whose console is asked without a socket.
class console_world : public ::testing::Test {
protected:
    explicit console_world(config::console_settings settings = settings_with_people()) {
        database_->setup();
        commit::adapters parts;
        parts.databases.emplace("default", database_);
        parts.brokers.emplace("default", broker::make_inline_broker("default"));
        parts.brokers.emplace("partner", broker::make_inline_broker("partner"));
        domain_.validate();
        env_ = std::make_unique<commit::environment>(domain_.declared(), configuration_, parts, clock_,
                                                     base::system_random());
        open(std::move(settings));
    }

    void open(config::console_settings settings) {
        std::vector<std::unique_ptr<context>> contexts;
        contexts.push_back(std::make_unique<context>([this] { return operate::read_settings({.program = host_}, ""); },
                                                     *env_, clock_));
        console_ = std::make_unique<console>(console::options{.settings = std::move(settings)}, std::move(contexts),
                                             clock_, base::system_random());
    }

    void post(const std::string& letter_id) {
        auto in = command::make_context(*env_);
        in.process(post::post_letter{.letter_id = letter_id});
    }

    [[nodiscard]] static http::http_request request(const std::string& method, const std::string& target) {
        http::http_request asked{.method = method, .path = target.substr(0, target.find('?')), .client = "127.0.0.1"};
        if (const auto mark = target.find('?'); mark != std::string::npos) asked.query = target.substr(mark + 1);
        asked.headers = {{"host", "127.0.0.1:8080"}};
        return asked;
    }
    [[nodiscard]] http::http_answer get(const std::string& target, const std::string& cookie = {}) {
        http::http_request asked = request("GET", target);
        if (!cookie.empty()) asked.headers.emplace_back("cookie", cookie);
        return console_->answer(asked);
    }
    [[nodiscard]] http::http_answer post_form(const std::string& target, const std::string& body,
                                              const std::string& cookie = {}) {
        http::http_request asked = request("POST", target);
        asked.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
        asked.headers.emplace_back("origin", over_tls_ ? "https://127.0.0.1:8080" : "http://127.0.0.1:8080");
        asked.is_encrypted = over_tls_;
        if (!cookie.empty()) asked.headers.emplace_back("cookie", cookie);
        asked.body = body;
        return console_->answer(asked);
    }
    /// As a program with a token.
    [[nodiscard]] http::http_answer call(const std::string& method, const std::string& target,
                                         const std::string& body = {}, const std::string& token = "token of ci") {
        http::http_request asked = request(method, target);
        asked.headers.emplace_back("authorization", "Bearer " + token);
        if (!body.empty()) asked.headers.emplace_back("content-type", "application/json");
        asked.body = body;
        return console_->answer(asked);
    }

    [[nodiscard]] static std::string header(const http::http_answer& of, std::string_view name) {
        for (const auto& [each, value] : of.headers) {
            if (each == name) return value;
        }
        return {};
    }
    /// `name=value` of what is to be set.
    [[nodiscard]] static std::string cookie_in(const http::http_answer& of) {
        const std::string set = header(of, "set-cookie");
        return set.substr(0, set.find(';'));
    }
    [[nodiscard]] static std::string token_in(const std::string& page) {
        const std::string before = R"(name="csrf" value=")";
        const auto at = page.find(before);
        return at == std::string::npos ? std::string{} : page.substr(at + before.size(), 64);
    }
    [[nodiscard]] http::http_answer try_to_log_in(const std::string& name, const std::string& password) {
        const http::http_answer form = get("/console/login");
        return post_form("/console/login",
                         "csrf=" + token_in(form.body) + "&name=" + percent_encoded(name) +
                             "&password=" + percent_encoded(password) + "&back=%2Fconsole",
                         cookie_in(form));
    }
    /// The cookie of a session.
    [[nodiscard]] std::string log_in(const std::string& name) {
        const http::http_answer answer = try_to_log_in(name, "secret phrase");
        EXPECT_EQ(answer.status, 303U) << answer.body;
        return cookie_in(answer);
    }

    bool over_tls_ = false;  ///< forms are sent that way
    testing::virtual_clock clock_{date_time::parse("2026-11-29T08:00:00Z")};
    no_host host_;
    config::configuration configuration_ = config::parse(
        "[databases.default]\nprovider = \"memory\"\n[brokers.default]\nprovider = \"inline\"\n[brokers.partner]\n"
        "provider = \"inline\"\n[outbox]\nexternal_brokers = [\"partner\"]\n",
        "domain.toml", {.databases = {&store::memory_provider()}, .brokers = {&broker::inline_provider()}},
        [](const std::string& /*name*/) -> std::optional<std::string> { return std::nullopt; });
    std::shared_ptr<store::database> database_ = store::make_memory_database("post");
    std::shared_ptr<post::script> hook_ = std::make_shared<post::script>();
    domain domain_ = post::make_domain(hook_);
    std::unique_ptr<commit::environment> env_;
    std::unique_ptr<console> console_;
};

}  // namespace sluice::console
