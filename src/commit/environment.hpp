#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <sluice/registry.hpp>
#include <sluice/time.hpp>

#include "base/random.hpp"
#include "base/sleeper.hpp"
#include "commit/hot_keys.hpp"
#include "commit/session_pool.hpp"
#include "commit/wake_hub.hpp"
#include "config/configuration.hpp"
#include "observe/log.hpp"
#include "observe/tracer.hpp"
#include "store/store.hpp"

namespace sluice::broker {
class broker;
}
namespace sluice::envelope {
class format;
}

namespace sluice::commit {

/// Adapters made by the composition root, by configured name.
struct adapters {
    std::map<std::string, std::shared_ptr<store::database>, std::less<>> databases;
    std::map<std::string, std::shared_ptr<broker::broker>, std::less<>> brokers;
};

/// A declared domain with its configuration and its adapters: everything the rooms above work with.
///
/// Thread safety: immutable after construction and `set_reader` but for the pools, the hubs, the contention and the
/// tracer, which are thread safe. Lifetime: the registry, the clock, the random source and the sleeper must outlive it;
/// it must outlive contexts, lanes and engine.
class environment {
public:
    environment(const detail::registry& domain, config::configuration configuration, adapters parts, const clock& time,
                base::random_source& random, base::sleeper& pauses = base::system_sleeper(),
                std::shared_ptr<const observe::log_route> log = nullptr);
    environment(const environment&) = delete;
    environment& operator=(const environment&) = delete;
    ~environment();

    [[nodiscard]] const detail::registry& domain() const noexcept { return domain_; }
    [[nodiscard]] const config::configuration& configuration() const noexcept { return configuration_; }
    [[nodiscard]] const adapters& parts() const noexcept { return parts_; }
    [[nodiscard]] const clock& time() const noexcept { return clock_; }
    [[nodiscard]] base::random_source& random() const noexcept { return random_; }
    /// What was lost to other writers a moment ago.
    [[nodiscard]] hot_keys& contention() noexcept { return contention_; }
    /// Where a unit of work waits before it is repeated.
    [[nodiscard]] base::sleeper& pauses() const noexcept { return pauses_; }
    [[nodiscard]] observe::tracer& tracer() noexcept { return tracer_; }
    /// Where those who work for this write their log; null: the log of the process.
    [[nodiscard]] const std::shared_ptr<const observe::log_route>& log() const noexcept { return log_; }
    [[nodiscard]] wake_hub& lanes() noexcept { return hub_; }
    /// Woken by commits of this process that schedule something.
    [[nodiscard]] wake_hub& schedules() noexcept { return schedules_; }

    /// The consumer group that feeds the projector's read model: that in the register, which a renamed projector keeps;
    /// else the projector's name.
    [[nodiscard]] const std::string& reader_of(const detail::projector_entry& projector) const;
    /// Remembers what the register says. Not while anything else uses this.
    void set_reader(const std::string& table, std::string group) { readers_[table] = std::move(group); }

    /// @throws configuration_error naming the unknown database
    [[nodiscard]] session_pool& sessions(std::string_view database);
    /// @throws configuration_error naming the unknown broker
    [[nodiscard]] broker::broker& broker(std::string_view name) const;
    /// The largest message for a broker, by its own limit or by that of its lane.
    struct message_limit {
        std::size_t bytes = 0;  ///< 0: no limit, or the broker is not known
        std::string section{};  ///< of the configuration, whose `max_message_bytes` it is: `outbox.lanes.partner`
    };
    [[nodiscard]] const message_limit& limit_of(std::string_view broker) const;
    /// What the broker is, `messaging.system` of a span: `kafka`.
    [[nodiscard]] std::string system_of(const std::string& broker) const;
    /// The form of the messages that the broker takes and gives: the whole envelope inside, else that for partners.
    [[nodiscard]] const envelope::format& format_of(std::string_view broker) const;

private:
    const detail::registry& domain_;
    config::configuration configuration_;
    adapters parts_;
    const clock& clock_;
    base::random_source& random_;
    base::sleeper& pauses_;
    std::shared_ptr<const observe::log_route> log_;
    observe::tracer tracer_;
    hot_keys contention_;
    wake_hub hub_;
    wake_hub schedules_;
    std::map<std::string, std::unique_ptr<session_pool>, std::less<>> pools_;
    std::map<std::string, message_limit, std::less<>> limits_;                             ///< by broker
    std::map<std::string, std::shared_ptr<const envelope::format>, std::less<>> formats_;  ///< of the external brokers
    std::map<std::string, std::string, std::less<>> readers_;  ///< consumer groups by the tables that they feed
};

}  // namespace sluice::commit
