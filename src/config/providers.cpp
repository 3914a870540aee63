#include "config/providers.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace sluice::config {

namespace {

using location = provider_rule::location;

constexpr std::int64_t usual_message_bytes = 8'388'608;

provider_option whole(std::string_view key, std::int64_t usual, std::int64_t lowest, std::int64_t highest) {
    return {.key = key,
            .what = provider_option::kind::whole,
            .lowest = lowest,
            .highest = highest,
            .usual = std::to_string(usual)};
}

/// The first word is the default.
provider_option choice(std::string_view key, std::vector<std::string> words) {
    std::string usual = words.front();
    return {.key = key, .what = provider_option::kind::choice, .words = std::move(words), .usual = std::move(usual)};
}

provider_option flag(std::string_view key, bool usual) {
    return {.key = key, .what = provider_option::kind::flag, .usual = usual ? "true" : "false"};
}

provider_option text(std::string_view key, std::string usual) {
    return {.key = key, .what = provider_option::kind::text, .usual = std::move(usual)};
}

provider_option file(std::string_view key) { return {.key = key, .what = provider_option::kind::file}; }

}  // namespace

std::span<const provider_rule> known_databases() {
    static const std::vector<provider_rule> rules{
        {.name = "memory", .where = location::unused},
        {.name = "sqlite",
         .where = location::file,
         .options = {choice("synchronous", {"full", "normal"}), whole("busy_timeout_ms", 5'000, 0, 600'000)}},
        {.name = "postgresql",
         .options = {text("schema", "public"), whole("max_connections", 16, 1, 10'000),
                     whole("connect_timeout_ms", 5'000, 1, 600'000),
                     whole("statement_timeout_ms", 30'000, 1, 3'600'000), whole("lock_timeout_ms", 5'000, 1, 3'600'000),
                     whole("order_wait_ms", 50, 0, 60'000), flag("listen_notify", true),
                     flag("prepare_statements", true), flag("strict_order", false)}},
    };
    return rules;
}

std::span<const provider_rule> known_brokers() {
    static const std::vector<provider_rule> rules{
        {.name = "inline", .where = location::unused},
        {.name = "sqlite",
         .where = location::file,
         .options = {choice("synchronous", {"full", "normal"}), whole("busy_timeout_ms", 5'000, 0, 600'000),
                     whole("retention_hours", 168, 0, 87'600), whole("maxlen", 0, 0, 1'000'000'000),
                     whole("max_message_bytes", usual_message_bytes, 1024, 1'000'000'000)}},
        {.name = "redis",
         .options = {whole("connect_timeout_ms", 3'000, 1, 600'000), whole("answer_timeout_ms", 5'000, 1, 600'000),
                     whole("maxlen", 0, 0, 1'000'000'000), whole("dead_letter_maxlen", 0, 0, 1'000'000'000),
                     whole("max_message_bytes", usual_message_bytes, 1024, 500'000'000), file("tls_ca_file"),
                     file("tls_certificate_file"), file("tls_key_file"), flag("tls_verify", true)}},
        {.name = "kafka"},
        {.name = "rabbitmq"},
        {.name = "nats"},
        {.name = "webhook"},
    };
    return rules;
}

std::size_t largest_message(std::string_view broker_provider, const std::map<std::string, std::string>& options) {
    const auto given = options.find("max_message_bytes");
    if (given == options.end())
        return broker_provider == "sqlite" || broker_provider == "redis" ? static_cast<std::size_t>(usual_message_bytes)
                                                                         : 0;
    std::size_t bytes = 0;
    std::from_chars(given->second.data(), given->second.data() + given->second.size(), bytes);
    return bytes;
}

bool is_embedded(std::string_view database_provider) {
    return std::ranges::any_of(known_databases(), [&](const provider_rule& rule) {
        return rule.name == database_provider && rule.where != location::server;
    });
}

}  // namespace sluice::config
