#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/registry.hpp>
#include <sluice/subscription_options.hpp>

/// What may be said about a subscription, in the declaration and in the file alike.
namespace sluice::detail {

/// An option, the key that names it, and the values it may have, both ends included.
template <class Value>
struct subscription_key {
    std::string_view name;
    std::optional<Value> subscription_options::*option;
    Value lowest;
    Value highest;
};

/// Calls `visit` with the subscription_key of every option but the profile, in the order of the documentation.
template <class Visit>
void for_each_subscription_key(Visit visit) {
    using options = subscription_options;
    constexpr double day = 86'400;
    constexpr double shortest_reset = 0.1;  // an open breaker must not become a busy loop
    visit(subscription_key<std::size_t>{"messages_per_tick", &options::messages_per_tick, 1, 10'000});
    constexpr std::size_t gigabyte = 1'000'000'000;
    visit(subscription_key<std::size_t>{"bytes_per_tick", &options::bytes_per_tick, 1024, gigabyte});
    visit(subscription_key<int>{"max_retries", &options::max_retries, 1, 1'000'000});
    visit(subscription_key<double>{"retry_delay_seconds", &options::retry_delay_seconds, 0, day});
    visit(subscription_key<double>{"max_retry_delay_seconds", &options::max_retry_delay_seconds, 0, day});
    visit(subscription_key<double>{"claim_seconds", &options::claim_seconds, 1, day});
    visit(subscription_key<std::size_t>{"max_held", &options::max_held, 1, 1'000'000});
    visit(subscription_key<std::size_t>{"max_held_bytes", &options::max_held_bytes, 1024, 64 * gigabyte});
    visit(subscription_key<std::size_t>{"concurrency", &options::concurrency, 1, 256});
    visit(subscription_key<std::size_t>{"messages_per_transaction", &options::messages_per_transaction, 1, 1000});
    visit(subscription_key<bool>{"enable_dlq", &options::enable_dlq, false, true});
    visit(subscription_key<int>{"circuit_breaker_threshold", &options::circuit_breaker_threshold, 0, 1'000'000});
    visit(subscription_key<double>{"circuit_breaker_reset_seconds", &options::circuit_breaker_reset_seconds,
                                   shortest_reset, day});
}

/// Takes over from `weaker` what `options` does not say itself; the profile is no such key and stays.
void fill_in(subscription_options& options, const subscription_options& weaker);

/// May a consumer group be called so? At most 200 characters, none of them white space or `@`.
[[nodiscard]] bool is_group_name(std::string_view name);

/// What is out of range, each as `max_retries = 0, which is not from 1 to 1000000`.
[[nodiscard]] std::vector<std::string> broken_rules(const subscription_options& options);

/// The options of the one subscription that serves all commands of a category: what their handlers say together.
[[nodiscard]] subscription_options options_of_commands(const registry& domain, std::string_view category);

/// Mistakes in the options of all handlers, as `validate` reports them: values out of range, and command handlers of
/// one category that contradict each other.
[[nodiscard]] std::vector<std::string> subscription_problems(const registry& domain);

}  // namespace sluice::detail
