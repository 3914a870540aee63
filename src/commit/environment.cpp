#include "commit/environment.hpp"

#include <sluice/error.hpp>

#include "broker/broker.hpp"
#include "envelope/format.hpp"

namespace sluice::commit {

environment::environment(const detail::registry& domain, config::configuration configuration, adapters parts,
                         const clock& time, base::random_source& random, base::sleeper& pauses,
                         std::shared_ptr<const observe::log_route> log)
    : domain_{domain},
      configuration_{std::move(configuration)},
      parts_{std::move(parts)},
      clock_{time},
      random_{random},
      pauses_{pauses},
      log_{std::move(log)},
      tracer_{domain.name, time} {
    for (const auto& [name, database] : parts_.databases) {
        pools_.emplace(name, std::make_unique<session_pool>(database));
    }
    for (const auto& [name, broker] : configuration_.brokers) {
        limits_[name] = {broker.kind->largest_message(broker.options), "brokers." + name};
    }
    for (const auto& [name, broker] : parts_.brokers) {
        limits_[name] = {broker->can().max_message_bytes, "brokers." + name};
    }
    for (const auto& [name, lane] : configuration_.outbox.lanes) {
        message_limit& limit = limits_[name];
        const bool is_narrower = limit.bytes == 0 || lane.max_message_bytes < limit.bytes;
        if (lane.max_message_bytes > 0 && is_narrower) limit = {lane.max_message_bytes, "outbox.lanes." + name};
    }
    for (const std::string& name : configuration_.outbox.external_brokers) {
        formats_[name] = envelope::external_format(configuration_.outbox.lane_of(name).terms);
    }
    for (const trace_subscriber& subscriber : domain_.trace_subscribers) tracer_.subscribe(subscriber);
}

environment::~environment() = default;

const std::string& environment::reader_of(const detail::projector_entry& projector) const {
    const auto found = readers_.find(projector.table.name);
    return found == readers_.end() ? projector.name : found->second;
}

session_pool& environment::sessions(std::string_view database) {
    const auto found = pools_.find(database);
    if (found == pools_.end()) {
        throw configuration_error{"database `" + std::string{database} + "` is not configured; add [databases." +
                                  std::string{database} + "] to domain.toml"};
    }
    return *found->second;
}

broker::broker& environment::broker(std::string_view name) const {
    const auto found = parts_.brokers.find(name);
    if (found == parts_.brokers.end()) {
        throw configuration_error{"broker `" + std::string{name} + "` is not configured; add [brokers." +
                                  std::string{name} + "] to domain.toml"};
    }
    return *found->second;
}

const environment::message_limit& environment::limit_of(std::string_view broker) const {
    static const message_limit none;
    const auto found = limits_.find(broker);
    return found == limits_.end() ? none : found->second;
}

std::string environment::system_of(const std::string& broker) const {
    const auto found = configuration_.brokers.find(broker);
    return found == configuration_.brokers.end() ? broker : found->second.provider;
}

const envelope::format& environment::format_of(std::string_view broker) const {
    static const auto inside = envelope::internal_format();
    const auto found = formats_.find(broker);
    return found == formats_.end() ? *inside : *found->second;
}

}  // namespace sluice::commit
