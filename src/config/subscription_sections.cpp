#include "config/subscription_sections.hpp"

#include <fmt/format.h>

#include <map>
#include <string>
#include <type_traits>

#include "config/subscription_profiles.hpp"
#include "domain/subscription_rules.hpp"

namespace sluice::config {

namespace {

template <class Value>
void read_key(section& in, const detail::subscription_key<Value>& key, std::optional<Value>& target) {
    if constexpr (std::is_same_v<Value, bool>) {
        in.flag(key.name, target);
    } else if constexpr (std::is_same_v<Value, double>) {
        in.number(key.name, target, key.lowest, key.highest);
    } else {
        in.whole(key.name, target, static_cast<std::int64_t>(key.lowest), static_cast<std::int64_t>(key.highest));
    }
}

subscription_options read_options(section& in) {
    subscription_options options;
    detail::for_each_subscription_key([&](const auto& key) { read_key(in, key, options.*key.option); });
    return options;
}

void require_profile(const section& in, std::string_view key, const std::string& name, const profile_map& custom) {
    if (name.empty() || find_profile(name, custom) != nullptr) return;
    in.report(key, "no such profile", did_you_mean(profile_key(name), profile_names(custom), "profiles are"));
}

/// Reads all profiles before any of them inherits, so that their order in the file means nothing.
class profile_reader {
public:
    explicit profile_reader(section all) : all_{std::move(all)} {}

    [[nodiscard]] profile_map read() {
        for (auto& [name, in] : all_.all_below()) add(name, in);
        profile_map profiles;
        for (const auto& [key, one] : read_) profiles[key] = one.options;
        for (const auto& [key, one] : read_) {
            if (const subscription_options* parent = parent_of(key, one)) detail::fill_in(profiles[key], *parent);
        }
        return profiles;
    }

private:
    struct profile {
        std::string name;  ///< as written
        section in;
        subscription_options options;
        std::string parent;
    };

    void add(const std::string& name, section& in) {
        subscription_options options = read_options(in);
        std::string parent;
        in.text("inherits", parent);
        in.refuse_unknown();
        const std::string key = profile_key(name);
        if (built_in_profiles().contains(key)) {
            all_.report(name, "is the name of a built-in profile", "choose another; it can inherit from " + key);
            return;
        }
        const auto [first, is_new] = read_.try_emplace(key, profile{name, in, std::move(options), std::move(parent)});
        if (!is_new) {
            all_.report(name, "is the profile " + first->second.name + " again: case does not count",
                        "give one of them another name");
        }
    }

    [[nodiscard]] const subscription_options* parent_of(const std::string& key, const profile& child) const {
        if (child.parent.empty()) return nullptr;
        const std::string parent_key = profile_key(child.parent);
        if (const auto built_in = built_in_profiles().find(parent_key); built_in != built_in_profiles().end()) {
            return &built_in->second;
        }
        constexpr const char* remedy = "inherit from a built-in profile, or from one that inherits nothing";
        const auto parent = read_.find(parent_key);
        if (parent == read_.end()) {
            std::vector<std::string> names = profile_names({});
            for (const auto& [other, ignored] : read_) {
                if (other != key) names.push_back(other);
            }
            child.in.report("inherits", "no such profile", did_you_mean(parent_key, names, "profiles are"));
            return nullptr;
        }
        if (parent_key == key) {
            child.in.report("inherits", "is the profile itself", remedy);
            return nullptr;
        }
        if (!parent->second.parent.empty()) {
            child.in.report(
                "inherits",
                fmt::format("inherits from \"{}\" itself, and one level is all there is", parent->second.parent),
                remedy);
            return nullptr;
        }
        return &parent->second.options;
    }

    section all_;
    std::map<std::string, profile> read_;
};

void read_handler(section& in, const profile_map& custom, subscription_options& options) {
    options = read_options(in);
    in.text("profile", options.profile);
    require_profile(in, "profile", options.profile, custom);
    // TOML takes `subscriptions.shop.notify_customer` for a table in a table.
    for (const std::string& inner : in.tables()) {
        in.excuse(inner);
        in.report(inner, "is no key of a subscription",
                  "put a name with dots in quotes, as in [server.subscriptions.\"shop.notify_customer\"]");
    }
    in.refuse_unknown();
}

}  // namespace

void read_subscriptions(section& server_section, server_settings& server) {
    section global = server_section.below("subscription");
    server.subscription = read_options(global);
    if (global.has("profile")) {
        global.excuse("profile");
        global.report("profile", "is no key here", "use server.default_subscription_profile");
    }
    global.refuse_unknown();

    server.profiles = profile_reader{server_section.below("profiles")}.read();

    server_section.text("default_subscription_profile", server.default_subscription_profile);
    require_profile(server_section, "default_subscription_profile", server.default_subscription_profile,
                    server.profiles);

    section handlers = server_section.below("subscriptions");
    for (auto& [name, in] : handlers.all_below()) read_handler(in, server.profiles, server.subscriptions[name]);
}

}  // namespace sluice::config
