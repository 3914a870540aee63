#pragma once

#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "config/provider.hpp"
#include "operate/host.hpp"

namespace sluice::operate {

/// A key that only one provider understands.
struct provider_key {
    std::string section;  ///< databases or brokers
    std::string provider;
    config::provider_option option;
};

/// The keys of the providers of this program. Reads no configuration.
/// @param provider  the name of one; empty: all
/// @throws request_error when the program has no such provider
[[nodiscard]] std::vector<provider_key> read_provider_keys(const host& program, const std::string& provider);
[[nodiscard]] json::value to_json(const std::vector<provider_key>& keys);

}  // namespace sluice::operate
