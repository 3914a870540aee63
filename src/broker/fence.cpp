#include <fmt/format.h>

#include "broker/publisher.hpp"

namespace sluice::broker {

bool is_fenced(const producer& from, const fence_state& last) noexcept {
    if (from.epoch != last.epoch) return from.epoch < last.epoch;
    return !from.owner.empty() && !last.owner.empty() && from.owner != last.owner;
}

std::string fenced_text(const producer& from, const fence_state& last) {
    return fmt::format(
        "fenced: a newer owner of lane {} publishes (epoch {}, ours is {}); if this database was restored or lost "
        "commits in a failover, run `sluice db adopt`, if it is a copy of another one, `sluice db adopt --copy`",
        from.name, last.epoch, from.epoch);
}

}  // namespace sluice::broker
