#include "config/subscription_resolution.hpp"

#include <sluice/error.hpp>

#include <algorithm>
#include <set>
#include <type_traits>

#include "config/section.hpp"
#include "config/subscription_profiles.hpp"
#include "domain/subscription_rules.hpp"

namespace sluice::config {

namespace {

/// Calls `visit` with each option and the setting that it decides.
template <class Visit>
void for_each_setting(Visit visit) {
    using options = subscription_options;
    using settings = subscription_settings;
    visit(&options::messages_per_tick, &settings::messages_per_tick);
    visit(&options::bytes_per_tick, &settings::bytes_per_tick);
    visit(&options::max_retries, &settings::max_retries);
    visit(&options::retry_delay_seconds, &settings::retry_delay_seconds);
    visit(&options::max_retry_delay_seconds, &settings::max_retry_delay_seconds);
    visit(&options::claim_seconds, &settings::claim_seconds);
    visit(&options::max_held, &settings::max_held);
    visit(&options::max_held_bytes, &settings::max_held_bytes);
    visit(&options::concurrency, &settings::concurrency);
    visit(&options::messages_per_transaction, &settings::messages_per_transaction);
    visit(&options::enable_dlq, &settings::enable_dlq);
    visit(&options::circuit_breaker_threshold, &settings::circuit_breaker_threshold);
    visit(&options::circuit_breaker_reset_seconds, &settings::circuit_breaker_reset_seconds);
}

subscription_options built_in_options() {
    subscription_options all;
    const subscription_settings usual;
    for_each_setting([&](auto option, auto setting) { all.*option = usual.*setting; });
    return all;
}

/// Something that may decide a key.
struct layer {
    setting_source source;
    const subscription_options* options;
    std::string profile{};
};

bool is_profile(setting_source source) {
    return source == setting_source::code_profile || source == setting_source::handler_profile ||
           source == setting_source::default_profile;
}

/// What is there without anybody's wish for this very key.
bool is_base(setting_source source) { return is_profile(source) || source == setting_source::built_in; }

/// The layers of one subscription that exist, the strongest first.
class layers {
public:
    explicit layers(const profile_map& custom) : custom_{custom} {}

    void add(setting_source source, const subscription_options& options) { all_.push_back({source, &options, {}}); }
    void add_profile(setting_source source, const std::string& name, std::string_view of) {
        if (name.empty()) return;
        const subscription_options* found = find_profile(name, custom_);
        if (found == nullptr) {
            throw configuration_error{"subscription `" + std::string{of} + "` wants the profile \"" + name +
                                      "\", which does not exist; " +
                                      did_you_mean(profile_key(name), profile_names(custom_), "profiles are")};
        }
        all_.push_back({source, found, profile_key(name)});
    }

    /// The strongest layer that sets the option; with `base_only`, of those that are there anyway.
    template <class Option>
    [[nodiscard]] const layer& deciding(Option option, bool base_only) const {
        return *std::find_if(all_.begin(), all_.end(), [&](const layer& each) {
            return (each.options->*option).has_value() && (!base_only || is_base(each.source));
        });
    }

private:
    const profile_map& custom_;
    std::vector<layer> all_;
};

/// The section for a subscription; null when the file has none.
const subscription_options* section_of(std::string_view name, const std::vector<declared_subscription>& declared,
                                       const server_settings& with) {
    if (const auto full = with.subscriptions.find(std::string{name}); full != with.subscriptions.end()) {
        return &full->second;
    }
    for (const auto& [written, options] : with.subscriptions) {
        const auto meant = subscriptions_meant(written, declared);
        if (meant.size() == 1 && meant.front() == name) return &options;
    }
    return nullptr;
}

template <class Value>
std::variant<std::int64_t, double, bool> to_variant(const Value& value) {
    if constexpr (std::is_same_v<Value, bool> || std::is_same_v<Value, double>) {
        return value;
    } else {
        return static_cast<std::int64_t>(value);
    }
}

}  // namespace

const char* to_string(setting_source source) noexcept {
    switch (source) {
        case setting_source::code:
            return "code";
        case setting_source::code_profile:
            return "code profile";
        case setting_source::handler_section:
            return "handler";
        case setting_source::handler_profile:
            return "handler profile";
        case setting_source::global_section:
            return "global";
        case setting_source::default_profile:
            return "default profile";
        case setting_source::built_in:
            break;
    }
    return "built-in";
}

std::vector<declared_subscription> declared_subscriptions(const detail::registry& domain) {
    std::vector<declared_subscription> all;
    for (const auto& handler : domain.event_handlers) {
        all.push_back({handler.name, "event handler " + handler.name, handler.options, !handler.sequential()});
    }
    for (const auto& projector : domain.projectors) {
        all.push_back({projector.name, "projector " + projector.name, projector.options, false});
    }
    for (const auto& [cpp_name, process] : domain.processes) {
        all.push_back({process.group, "process manager " + process.fqn, process.options, false});
    }
    std::set<std::string> categories;
    for (const auto& [cpp_name, command] : domain.commands) {
        const auto aggregate = domain.aggregates.find(command.aggregate);
        if (aggregate != domain.aggregates.end()) categories.insert(aggregate->second.category);
    }
    for (const std::string& category : categories) {
        all.push_back({std::string{commands_subscription}, "command subscription of " + category,
                       detail::options_of_commands(domain, category)});
    }
    for (const auto& subscriber : domain.subscribers) {
        all.push_back({subscriber.name, "subscriber " + subscriber.name, subscriber.options});
    }
    return all;
}

bool ends_in_part(std::string_view full, std::string_view name) noexcept {
    return full.size() > name.size() && full.ends_with(name) && full[full.size() - name.size() - 1] == '.';
}

std::vector<std::string> subscriptions_meant(std::string_view name,
                                             const std::vector<declared_subscription>& declared) {
    std::set<std::string> by_last_part;
    for (const declared_subscription& each : declared) {
        if (each.name == name) return {each.name};
        if (ends_in_part(each.name, name)) by_last_part.insert(each.name);
    }
    return {by_last_part.begin(), by_last_part.end()};
}

namespace {

/// What the file and Sluice itself say.
void add_configured(layers& all, const subscription_options* section, std::string_view name,
                    const server_settings& with) {
    static const subscription_options built_in = built_in_options();
    if (section != nullptr) {
        all.add(setting_source::handler_section, *section);
        all.add_profile(setting_source::handler_profile, section->profile, name);
    }
    all.add(setting_source::global_section, with.subscription);
    all.add_profile(setting_source::default_profile, with.default_subscription_profile, name);
    all.add(setting_source::built_in, built_in);
}

std::vector<decided_setting> decide(const layers& all) {
    std::vector<decided_setting> decided;
    detail::for_each_subscription_key([&](const auto& key) {
        const layer& decides = all.deciding(key.option, false);
        const auto& value = *(decides.options->*key.option);
        const auto& otherwise = *(all.deciding(key.option, true).options->*key.option);
        decided.push_back({.key = key.name,
                           .value = to_variant(value),
                           .source = decides.source,
                           .profile = decides.profile,
                           .deviates = value != otherwise});
    });
    return decided;
}

}  // namespace

resolved_subscription resolve_subscription(std::string_view name, const subscription_options& in_code,
                                           const detail::registry& domain, const server_settings& with) {
    layers all{with.profiles};
    all.add(setting_source::code, in_code);
    all.add_profile(setting_source::code_profile, in_code.profile, name);
    add_configured(all, section_of(name, declared_subscriptions(domain), with), name, with);

    resolved_subscription resolved;
    for_each_setting([&](auto option, auto setting) {
        resolved.settings.*setting = *(all.deciding(option, false).options->*option);
    });
    resolved.decided = decide(all);
    return resolved;
}

std::vector<decided_setting> resolve_section(const subscription_options* section, const server_settings& with) {
    layers all{with.profiles};
    add_configured(all, section, "", with);
    return decide(all);
}

}  // namespace sluice::config
