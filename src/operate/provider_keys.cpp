#include "operate/provider_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "config/section.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

namespace {

using config::provider_option;

template <class Provider>
void add_keys(const std::string& section, const std::vector<const Provider*>& providers, const std::string& wanted,
              std::vector<provider_key>& into) {
    for (const Provider* const each : providers) {
        if (!wanted.empty() && each->name() != wanted) continue;
        for (const provider_option& option : each->options()) {
            into.push_back({section, std::string{each->name()}, option});
        }
    }
}

void require_provider(const config::providers& built, const std::string& name) {
    std::set<std::string> known;
    std::ranges::copy(config::names_of(built.databases), std::inserter(known, known.end()));
    std::ranges::copy(config::names_of(built.brokers), std::inserter(known, known.end()));
    if (known.contains(name)) return;
    const std::vector<std::string> names{known.begin(), known.end()};
    throw wrong_request(
        fmt::format("this build has no provider `{}`; {}", name, config::did_you_mean(name, names, "providers are")));
}

const char* kind_text(provider_option::kind of) {
    switch (of) {
        case provider_option::kind::whole:
            return "whole";
        case provider_option::kind::choice:
            return "choice";
        case provider_option::kind::flag:
            return "flag";
        case provider_option::kind::text:
            return "text";
        case provider_option::kind::secret:
            return "secret";
        case provider_option::kind::table:
            return "table";
        case provider_option::kind::file:
        case provider_option::kind::database:
            break;
    }
    return "file";
}

/// In the type of the key.
json::value default_json(const provider_option& of) {
    if (of.usual.empty()) return {};
    if (of.what == provider_option::kind::whole) return static_cast<std::int64_t>(std::stoll(of.usual));
    if (of.what == provider_option::kind::flag) return of.usual == "true";
    return of.usual;
}

json::object key_json(const provider_key& of) {
    const auto bound = [&](std::int64_t value) {
        return of.option.what == provider_option::kind::whole ? json::value{value} : json::value{};
    };
    return json::object{{"section", of.section},
                        {"provider", of.provider},
                        {"key", std::string{of.option.key}},
                        {"kind", kind_text(of.option.what)},
                        {"lowest", bound(of.option.lowest)},
                        {"highest", bound(of.option.highest)},
                        {"words", json::array(of.option.words.begin(), of.option.words.end())},
                        {"default", default_json(of.option)},
                        {"purpose", std::string{of.option.purpose}}};
}

}  // namespace

std::vector<provider_key> read_provider_keys(const host& program, const std::string& provider) {
    const config::providers built = program.providers();
    if (!provider.empty()) require_provider(built, provider);
    std::vector<provider_key> keys;
    add_keys("databases", built.databases, provider, keys);
    add_keys("brokers", built.brokers, provider, keys);
    return keys;
}

json::value to_json(const std::vector<provider_key>& keys) {
    json::array list;
    for (const provider_key& each : keys) list.push_back(key_json(each));
    return json::object{{"keys", std::move(list)}};
}

}  // namespace sluice::operate
