#include "broker/membership.hpp"

#include "observe/log.hpp"

namespace sluice::broker {

kinship kinship_of(const membership& us, std::string_view name, const incarnation& theirs) {
    if (name != us.consumer) return kinship::other;
    if (theirs.id == us.process.id) return kinship::self;
    const bool one_place = !theirs.place.empty() && theirs.place == us.process.place;
    return one_place ? kinship::predecessor : kinship::namesake;
}

void tell_namesake(const membership& us, std::string_view stream) {
    observe::log(observe::level::error, "consumer.name_shared",
                 {{"consumer", us.consumer},
                  {"group", us.group},
                  {"stream", std::string{stream}},
                  {"reason", "another process has this name, so neither takes up at once what it left before a crash"},
                  {"remedy", "give each host and container a host name of its own"}});
}

}  // namespace sluice::broker
