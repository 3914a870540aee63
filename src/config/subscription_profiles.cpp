#include "config/subscription_profiles.hpp"

#include "base/names.hpp"

namespace sluice::config {

std::string profile_key(std::string_view name) { return base::lower(name); }

const profile_map& built_in_profiles() {
    static const profile_map profiles{
        // What holds anyway, for those who want it said against a default profile or [server.subscription].
        {"production",
         {.messages_per_tick = 100, .max_retries = 3, .retry_delay_seconds = 1, .max_held = 1000, .enable_dlq = true}},
        // Small reads, and no time lost on a message that fails.
        {"fast", {.messages_per_tick = 10, .max_retries = 2, .retry_delay_seconds = 0, .enable_dlq = true}},
        {"batch",
         {.messages_per_tick = 500, .max_retries = 5, .retry_delay_seconds = 2, .max_held = 5000, .enable_dlq = true}},
        // One message at a time, tried once and left behind.
        {"debug", {.messages_per_tick = 1, .max_retries = 1, .retry_delay_seconds = 0, .enable_dlq = false}},
    };
    return profiles;
}

const subscription_options* find_profile(std::string_view name, const profile_map& custom) {
    const std::string key = profile_key(name);
    for (const profile_map* profiles : {&built_in_profiles(), &custom}) {
        if (const auto found = profiles->find(key); found != profiles->end()) return &found->second;
    }
    return nullptr;
}

std::vector<std::string> profile_names(const profile_map& custom) {
    std::vector<std::string> names{"production", "fast", "batch", "debug"};
    for (const auto& [name, options] : custom) names.push_back(name);
    return names;
}

}  // namespace sluice::config
