#include "telemetry/resource.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

#include <sluice/version.hpp>

#include "base/ids.hpp"
#include "base/random.hpp"

namespace sluice::telemetry {

process_identity identity_of_this_process() {
    constexpr std::size_t longest = 256;
    std::array<char, longest> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    return {.host = host.data(), .pid = getpid(), .instance = base::uuid4(base::system_random())};
}

resource make_resource(const config::telemetry_settings& with, const std::string& domain,
                       const process_identity& process) {
    resource made;
    const auto set = [&](std::string key, span_value value) {
        const auto found = std::ranges::find(made.attributes, key, &span_attribute::key);
        if (found != made.attributes.end()) {
            found->value = std::move(value);
        } else {
            made.attributes.push_back({std::move(key), std::move(value)});
        }
    };
    set("service.name", domain);
    set("service.instance.id", process.instance);
    if (!process.host.empty()) set("host.name", process.host);
    set("process.pid", process.pid);
    set("telemetry.sdk.name", std::string{"sluice"});
    set("telemetry.sdk.language", std::string{"cpp"});
    set("telemetry.sdk.version", std::string{version()});
    for (const auto& [key, value] : with.resource) set(key, value);
    if (!with.service_name.empty()) set("service.name", with.service_name);
    return made;
}

}  // namespace sluice::telemetry
