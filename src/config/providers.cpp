#include "config/providers.hpp"

namespace sluice::config {

namespace {

using location = provider_rule::location;

provider_option whole(std::string_view key, std::int64_t lowest, std::int64_t highest) {
    return {.key = key, .what = provider_option::kind::whole, .lowest = lowest, .highest = highest};
}

provider_option choice(std::string_view key, std::vector<std::string> words) {
    return {.key = key, .what = provider_option::kind::choice, .words = std::move(words)};
}

}  // namespace

std::span<const provider_rule> known_databases() {
    static const std::vector<provider_rule> rules{
        {.name = "memory", .where = location::unused},
        {.name = "sqlite",
         .where = location::file,
         .options = {choice("synchronous", {"full", "normal"}), whole("busy_timeout_ms", 0, 600'000)}},
        {.name = "postgresql"},
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
        {.name = "redis"},
        {.name = "kafka"},
        {.name = "rabbitmq"},
        {.name = "nats"},
        {.name = "webhook"},
    };
    return rules;
}

}  // namespace sluice::config
