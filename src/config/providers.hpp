#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::config {

/// The adapters that were compiled into this program; the composition root knows.
struct providers {
    std::vector<std::string> databases;
    std::vector<std::string> brokers;
};

/// A key that only one provider understands.
struct provider_option {
    enum class kind { whole, choice, flag, text, file };

    std::string_view key;
    kind what = kind::whole;
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
    std::vector<std::string> words{};  ///< of a choice
    std::string usual{};               ///< the default as text; empty: there is none
};

/// What a provider wants to be told.
struct provider_rule {
    std::string_view name;
    /// How `database_uri` or `URI` is used.
    enum class location { unused, file, server } where = location::server;
    std::vector<provider_option> options{};
};

/// Every provider Sluice has a name for, whether or not this build contains it.
[[nodiscard]] std::span<const provider_rule> known_databases();
[[nodiscard]] std::span<const provider_rule> known_brokers();

/// The largest message that a broker takes, in bytes: as configured, else its provider's own limit; 0: none.
[[nodiscard]] std::size_t largest_message(std::string_view broker_provider,
                                          const std::map<std::string, std::string>& options);

/// True when a database of this provider needs no server, so that nobody has to prepare it.
[[nodiscard]] bool is_embedded(std::string_view database_provider);

}  // namespace sluice::config
