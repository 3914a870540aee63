#include "broker/rabbitmq/link.hpp"

#include <utility>

#include <fmt/format.h>

namespace sluice::broker::rabbitmq {

link::link(std::shared_ptr<server> at, std::string role)
    : server_{std::move(at)}, role_{std::move(role)}, state_{std::make_shared<state>()} {}

connection& link::open(const net::deadline& until) {
    if (!state_->up) {
        state_->up.emplace(*server_, role_, until.or_sooner(server_->options().connect_timeout));
        if (server_->heartbeat() > duration{0}) server_->keep_alive(state_);
    }
    return *state_->up;
}

void link::close(const net::deadline& until) noexcept {
    if (!state_->up) return;
    state_->up->close(until);
    drop();
}

outage link::named(const outage& trouble) const {
    return outage{fmt::format("rabbitmq {}: {}", server_->location().name(), trouble.what())};
}

/// What goes wrong here is found by the owner's next call.
void link::state::pulse() noexcept {
    const std::unique_lock lock{mutex, std::try_to_lock};
    if (!lock || !up) return;
    try {
        up->pulse();
    } catch (const std::exception&) {
        return;
    }
}

}  // namespace sluice::broker::rabbitmq
