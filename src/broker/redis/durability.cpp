#include "broker/redis/durability.hpp"

#include <charconv>

#include <fmt/format.h>

namespace sluice::broker::redis {
namespace {

/// The value of `name:value` in the lines of INFO.
std::optional<std::string> info_value(std::string_view info, std::string_view name) {
    while (!info.empty()) {
        const auto end = std::min(info.find('\n'), info.size());
        auto line = info.substr(0, end);
        info.remove_prefix(std::min(end + 1, info.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':') {
            return std::string{line.substr(name.size() + 1)};
        }
    }
    return std::nullopt;
}

}  // namespace

durability durability::from(std::string_view info, std::optional<std::string> save) {
    durability said{.maxmemory_policy = info_value(info, "maxmemory_policy"), .save = std::move(save)};
    if (const auto text = info_value(info, "maxmemory")) {
        std::uint64_t bytes = 0;
        const auto [end, failure] = std::from_chars(text->data(), text->data() + text->size(), bytes);
        if (failure == std::errc{} && end == text->data() + text->size()) said.maxmemory = bytes;
    }
    if (const auto text = info_value(info, "aof_enabled")) said.append_only = *text == "1";
    return said;
}

std::vector<hazard> hazards_of(const durability& said) {
    std::vector<hazard> found;
    // Sluice's keys have no expiry, so the `volatile-` policies leave them alone.
    if (said.maxmemory.value_or(0) != 0 && said.maxmemory_policy && said.maxmemory_policy->starts_with("allkeys")) {
        found.push_back({"REDIS_EVICTS",
                         fmt::format("Redis may evict streams when its memory is full (maxmemory-policy {}): messages "
                                     "that it has confirmed are then lost",
                                     *said.maxmemory_policy),
                         "set maxmemory-policy to noeviction: a full Redis then pauses lanes instead"});
    }
    if (said.append_only == false && said.save && said.save->empty()) {
        found.push_back({"REDIS_WITHOUT_PERSISTENCE",
                         "Redis keeps nothing when it ends (appendonly no, no save points): messages that it has "
                         "confirmed are then lost",
                         "set appendonly to yes"});
    } else if (said.append_only == false) {
        found.push_back({"REDIS_KEEPS_SNAPSHOTS_ONLY",
                         "Redis keeps snapshots only (appendonly no): what it has confirmed since the last one is lost "
                         "when it ends without saving",
                         "set appendonly to yes"});
    }
    if (!said.maxmemory_policy || !said.append_only) {
        found.push_back({"REDIS_NOT_ASKED",
                         "Redis does not tell this account whether it may evict streams and whether it keeps them "
                         "(INFO is not allowed)",
                         "see to maxmemory-policy noeviction and appendonly yes, or allow INFO and CONFIG GET"});
    }
    return found;
}

durability ask_durability(connection& on, const net::deadline& until) {
    const auto replies =
        on.run(commands{}.add("INFO", "memory").add("INFO", "persistence").add("CONFIG", "GET", "save"), until);
    std::string info;
    for (std::size_t i = 0; i < 2; ++i) {
        if (!replies[i].is_text()) continue;
        info += replies[i].text();
        info += '\n';
    }
    std::optional<std::string> save;
    if (const auto& answer = replies[2]; answer.is_array() && answer.size() == 2) save = answer[1].text();
    return durability::from(info, std::move(save));
}

}  // namespace sluice::broker::redis
