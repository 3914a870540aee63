#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/random.hpp"
#include "broker/broker.hpp"
#include "observe/meter.hpp"
#include "observe/tracer.hpp"
#include "outbox/lane.hpp"
#include "store/store.hpp"
#include "support/postgresql_server.hpp"

namespace sluice::testing {

/// Counts and times what lanes settle. Thread safe.
class lane_meter final : public observe::meter {
public:
    void count(const observe::settled_rows& rows) noexcept override;
    void count(const observe::handled_message& /*message*/) noexcept override {}
    void count(const observe::breaker_change& /*change*/) noexcept override {}

    /// Until so many rows have been published to the broker in all.
    [[nodiscard]] bool wait_for(const std::string& broker, std::size_t rows, std::chrono::seconds time) const;
    [[nodiscard]] std::size_t published(const std::string& broker) const;
    [[nodiscard]] std::size_t refused(const std::string& broker) const;
    /// Seconds from commit to confirmation, of the rows published to the internal broker since the last call.
    [[nodiscard]] std::vector<double> take_latencies();

private:
    struct counts {
        std::size_t published = 0;
        std::size_t refused = 0;
    };

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    mutable std::map<std::string, counts> counts_;
    std::vector<double> latencies_;
};

/// A schema of its own on the shared PostgreSQL server, with lanes to brokers, each on a thread as in an engine.
///
/// Thread safety: used by one thread.
class relay {
public:
    relay();

    void add_broker(const std::string& name, std::shared_ptr<broker::broker> to) { brokers_[name] = std::move(to); }
    void start_lane(const std::string& broker);
    /// Tidily; nothing when it does not run.
    void stop_lane(const std::string& broker) { lanes_.erase(broker); }

    struct rows {
        std::string name = "o";     ///< of the streams: `shop::order-{name}{number}`
        std::size_t count = 1;      ///< of the events
        std::size_t streams = 100;  ///< that they belong to by turns; the same at every call for a name
        std::vector<std::string> open{"default", "partner"};  ///< brokers that the events are to be carried to
        std::vector<std::string> published{};                 ///< brokers that have them already
    };
    /// Writes events with their rows and states in one transaction, faster than units of work could, and tells the
    /// lanes.
    void fill(const rows& what);
    /// One unit of work with one event. @returns seconds until it was committed
    double commit(const std::string& order);

    [[nodiscard]] store::database& database() { return *database_; }
    [[nodiscard]] lane_meter& meter() { return *meter_; }
    /// SQL with the schema as search path.
    [[nodiscard]] std::string scalar(const std::string& sql);
    /// The messages of a broker that are published, and those among them whose receipt is not later than that of the
    /// row before it.
    [[nodiscard]] std::pair<std::size_t, std::size_t> published_and_inverted(const std::string& broker);

    config::outbox_settings settings{};  ///< of the lanes that are started from here on

private:
    struct running {
        running(relay& of, const std::string& broker);

        base::seeded_random random;
        outbox::lane lane;
        std::jthread thread;
    };

    std::string schema_ = postgresql::fresh_schema();
    postgresql::session sql_;
    std::unique_ptr<store::database> database_;
    std::unique_ptr<store::unit_session> unit_;
    std::shared_ptr<lane_meter> meter_ = std::make_shared<lane_meter>();
    observe::tracer tracer_{"shop", system_clock()};
    std::map<std::string, std::shared_ptr<broker::broker>> brokers_;
    std::map<std::string, std::size_t> filled_;
    int commits_ = 0;
    int lanes_started_ = 0;
    std::map<std::string, std::unique_ptr<running>> lanes_;  ///< last: gone before what they stand on
};

}  // namespace sluice::testing
