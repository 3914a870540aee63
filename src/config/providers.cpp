#include "config/providers.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::config {

namespace {

using location = provider_rule::location;

provider_option whole(std::string_view key, std::int64_t lowest, std::int64_t highest) {
    return {.key = key, .what = provider_option::kind::whole, .lowest = lowest, .highest = highest};
}

provider_option choice(std::string_view key, std::vector<std::string> words) {
    return {.key = key, .what = provider_option::kind::choice, .words = std::move(words)};
}

provider_option flag(std::string_view key) { return {.key = key, .what = provider_option::kind::flag}; }

provider_option text(std::string_view key) { return {.key = key, .what = provider_option::kind::text}; }

provider_option file(std::string_view key) { return {.key = key, .what = provider_option::kind::file}; }

}  // namespace

std::span<const provider_rule> known_databases() {
    static const std::vector<provider_rule> rules{
        {.name = "memory", .where = location::unused},
        {.name = "sqlite",
         .where = location::file,
         .options = {choice("synchronous", {"full", "normal"}), whole("busy_timeout_ms", 0, 600'000)}},
        {.name = "postgresql",
         .options = {text("schema"), whole("max_connections", 1, 10'000), whole("connect_timeout_ms", 1, 600'000),
                     whole("statement_timeout_ms", 1, 3'600'000), whole("lock_timeout_ms", 1, 3'600'000),
                     whole("order_wait_ms", 0, 60'000), flag("listen_notify"), flag("prepare_statements"),
                     flag("strict_order")}},
    };
    return rules;
}

std::span<const provider_rule> known_brokers() {
    static const std::vector<provider_rule> rules{
        {.name = "inline", .where = location::unused},
        {.name = "sqlite",
         .where = location::file,
         .options = {choice("synchronous", {"full", "normal"}), whole("busy_timeout_ms", 0, 600'000),
                     whole("retention_hours", 0, 87'600), whole("maxlen", 0, 1'000'000'000),
                     whole("max_message_bytes", 1024, 1'000'000'000)}},
        {.name = "redis",
         .options = {whole("connect_timeout_ms", 1, 600'000), whole("answer_timeout_ms", 1, 600'000),
                     whole("maxlen", 0, 1'000'000'000), whole("dead_letter_maxlen", 0, 1'000'000'000),
                     whole("max_message_bytes", 1024, 500'000'000), file("tls_ca_file"), file("tls_certificate_file"),
                     file("tls_key_file"), flag("tls_verify")}},
        {.name = "kafka"},
        {.name = "rabbitmq"},
        {.name = "nats"},
        {.name = "webhook"},
    };
    return rules;
}

std::size_t largest_message(std::string_view broker_provider, const std::map<std::string, std::string>& options) {
    constexpr std::size_t usual = 8'388'608;
    const auto given = options.find("max_message_bytes");
    if (given == options.end()) return broker_provider == "sqlite" || broker_provider == "redis" ? usual : 0;
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
