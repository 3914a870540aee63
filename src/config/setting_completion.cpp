#include "config/setting_completion.hpp"

#include <algorithm>
#include <map>
#include <type_traits>

#include "config/document.hpp"
#include "config/subscription_profiles.hpp"
#include "config/subscription_resolution.hpp"
#include "domain/subscription_rules.hpp"

namespace sluice::config {

namespace {

constexpr const char* global_section = "server.subscription";

effective_setting* find_setting(std::vector<effective_setting>& settings, const std::string& section,
                                std::string_view key) {
    const auto found = std::ranges::find_if(
        settings, [&](const effective_setting& each) { return each.section == section && each.key == key; });
    return found == settings.end() ? nullptr : &*found;
}

template <class Value>
setting_value to_setting_value(const Value& value) {
    if constexpr (std::is_same_v<Value, bool> || std::is_same_v<Value, double>) {
        return value;
    } else {
        return static_cast<std::int64_t>(value);
    }
}

void take_profile(effective_setting& into, setting_value value, std::string profile) {
    into.value = std::move(value);
    into.from = origin::profile;
    into.profile = std::move(profile);
}

void complete_section(std::vector<effective_setting>& settings, const std::string& section,
                      const std::vector<decided_setting>& decided) {
    for (const decided_setting& each : decided) {
        effective_setting* const open = find_setting(settings, section, each.key);
        if (open == nullptr || open->from != origin::built_in) continue;
        setting_value value = std::visit([](auto plain) { return setting_value{plain}; }, each.value);
        if (!each.profile.empty()) {
            take_profile(*open, std::move(value), each.profile);
        } else if (each.source == setting_source::global_section && section != global_section) {
            effective_setting inherited = *find_setting(settings, global_section, each.key);
            inherited.section = section;
            inherited.inherited = global_section;
            *open = std::move(inherited);
        } else {
            open->value = std::move(value);
        }
    }
}

void complete_profile(std::vector<effective_setting>& settings, const std::string& section,
                      const subscription_options& options) {
    const effective_setting* const inherits = find_setting(settings, section, "inherits");
    const auto* const parent = inherits == nullptr ? nullptr : std::get_if<std::string>(&inherits->value);
    if (parent == nullptr) return;
    const std::string name = profile_key(*parent);
    detail::for_each_subscription_key([&](const auto& key) {
        effective_setting* const open = find_setting(settings, section, key.name);
        const auto& value = options.*key.option;
        if (open == nullptr || open->from != origin::built_in || !value) return;
        take_profile(*open, to_setting_value(*value), name);
    });
}

}  // namespace

void complete_subscriptions(std::vector<effective_setting>& settings, const server_settings& server) {
    complete_section(settings, global_section, resolve_section(nullptr, server));
    for (const auto& [name, options] : server.subscriptions) {
        complete_section(settings, join_key("server.subscriptions", name), resolve_section(&options, server));
    }
    constexpr std::string_view profiles = "server.profiles.";
    std::map<std::string, std::string> sections;  // by the name of the profile
    for (const auto& [name, options] : server.profiles) {
        for (const effective_setting& each : settings) {
            if (each.section.starts_with(profiles) && profile_key(each.section) == join_key("server.profiles", name)) {
                sections[name] = each.section;
            }
        }
    }
    for (const auto& [name, section] : sections) complete_profile(settings, section, server.profiles.at(name));
}

void group_by_section(std::vector<effective_setting>& settings) {
    std::map<std::string, std::size_t> places;
    for (const effective_setting& each : settings) places.try_emplace(each.section, places.size());
    std::ranges::stable_sort(settings, {}, [&](const effective_setting& each) { return places.at(each.section); });
}

}  // namespace sluice::config
