#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/hazard.hpp"
#include "broker/redis/connection.hpp"

/// Whether a server keeps what it has confirmed.
namespace sluice::broker::redis {

/// What a server says of itself; what it does not say is empty.
struct durability {
    std::optional<std::uint64_t> maxmemory{};
    std::optional<std::string> maxmemory_policy{};
    std::optional<bool> append_only{};
    std::optional<std::string> save{};  ///< the points at which it writes a snapshot; an empty text: never

    /// From `INFO memory`, `INFO persistence` and `CONFIG GET save`, each of which may have been refused. Pure.
    [[nodiscard]] static durability from(std::string_view info, std::optional<std::string> save);
};

/// What of it can lose messages. Pure.
[[nodiscard]] std::vector<hazard> hazards_of(const durability& said);

/// Asks the server. @throws outage
[[nodiscard]] durability ask_durability(connection& on, const net::deadline& until);

}  // namespace sluice::broker::redis
