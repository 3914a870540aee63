#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/context.hpp>
#include <sluice/log.hpp>
#include <sluice/metrics.hpp>
#include <sluice/settings.hpp>
#include <sluice/span.hpp>
#include <sluice/time.hpp>

namespace sluice {

class domain;

namespace app {
struct application_parts;
}

/// What a program may give to an `application`.
///
/// Thread safety: a value type; the sinks are called by several threads at a time, and so is the clock. Lifetime:
/// copied by the application; what sinks and clock refer to must outlive it.
struct application_options {
    /// Receives the log. Empty: nothing is written; the state can be asked for with `status` and `health`.
    log_sink log{};
    /// Lines that matter less are not handed to the sink. Empty: `[log] level` decides.
    std::optional<log_level> log_threshold{};
    /// Receives each span that is sampled, when it ends, on the thread that did the work (span.hpp): for a tracer that
    /// the program has already. `[telemetry]` says which traces are sampled, and may send them to a receiver, too.
    /// Empty, and without `[telemetry]`: no spans are recorded.
    span_sink spans{};
    /// What "now" is for commands, lanes and schedules. Null: the machine's clock. Threads still sleep in real time.
    std::shared_ptr<const sluice::clock> clock{};
};

enum class application_phase { stopped, starting, running, stopping };
[[nodiscard]] const char* to_string(application_phase phase) noexcept;

/// One thread of the engine: a lane, a subscription, the schedule of a database, or the maintenance.
///
/// Thread safety: a value type.
struct thread_status {
    std::string kind{};    ///< `lane`, `subscription`, `schedule`, `maintenance`
    std::string name{};    ///< `default:partner_events`; `shop.notify_customer shop::order`
    std::string state{};   ///< `running`, `restarting` or `stopped`; of a subscription its own words
    std::string detail{};  ///< last trouble, one line
    int restarts = 0;      ///< after an exception that ended it
};

/// The way from one database to one broker, whichever process owns it.
///
/// Thread safety: a value type.
struct lane_status {
    std::string database{};
    std::string broker{};
    bool external = false;
    std::string state{};                 ///< `flowing`, `paused`, … (docs/observability.md); `stopped` without owner
    std::string detail{};                ///< last error or reason
    std::optional<std::int64_t> open{};  ///< rows that the broker has not confirmed; empty when not known
    std::optional<std::int64_t> failed{};     ///< of those: refused, waiting for another attempt
    std::optional<std::int64_t> abandoned{};  ///< given up
    std::optional<duration> oldest{};         ///< age of the oldest unconfirmed row
};

/// One stream that a handler reads.
///
/// Thread safety: a value type.
struct subscription_status {
    std::string handler{};
    std::string broker{};
    std::string stream{};
    std::string state{};
    std::optional<std::int64_t> lag{};      ///< messages not yet delivered; empty when not known
    std::optional<std::int64_t> pending{};  ///< delivered and not acknowledged
    std::optional<std::int64_t> dead{};     ///< among the dead letters
};

/// How an application is. Lanes and subscriptions are as they were seen last, a few seconds ago at most while their
/// database and broker answer; they are empty before the start. With `server.health.enabled = false` nobody looks:
/// there are no lanes then, and subscriptions have a state and no numbers.
///
/// Thread safety: a value type: a copy of what was seen.
struct application_status {
    application_phase phase = application_phase::stopped;
    std::string consumer{};  ///< name at the brokers; empty before the start
    std::vector<thread_status> threads{};
    std::vector<lane_status> lanes{};
    std::vector<subscription_status> subscriptions{};
};

/// A database or a broker, as it was seen last.
///
/// Thread safety: a value type.
struct component_health {
    std::string name{};
    bool decisive = true;  ///< without it the application is degraded. A partner's broker is not
    bool available = false;
    std::string reason{};           ///< why it is not available, one line
    std::optional<duration> age{};  ///< of the last finished look; empty before the first
};

/// What a liveness and a readiness probe want to know.
///
/// Thread safety: a value type: a copy of what was seen.
struct application_health {
    /// False only when a stop did not end in time: a thread hangs, and the process should be replaced.
    bool live = true;
    /// It runs, and everything decisive is there.
    bool ready = false;
    std::string status{};  ///< `ok`, `degraded`, or `unavailable` unless it runs
    std::vector<component_health> databases{};
    std::vector<component_health> brokers{};
    json::value details{};  ///< what `/readyz` of `sluice server` says
};

/// Something in domain or configuration that is worth a look, as `sluice check` tells it.
///
/// Thread safety: a value type.
struct configuration_warning {
    std::string code{};     ///< stable word: PUBLISHED_NO_EXTERNAL_BROKER
    std::string element{};  ///< what it is about
    std::string message{};
    std::string remedy{};
};

/// A domain inside a program that has a main, threads and servers of its own (docs/embedding.md):
///
/// @code
/// sluice::application app{shop::make_domain(), sluice::settings::from_file("domain.toml")};
/// app.start();
/// // in any thread:
/// auto context = app.context();
/// context.process(ShipOrder{.order_id = "o-1"});  // returns what the handler returns, throws what it throws
/// // at the end:
/// app.stop(std::chrono::seconds{10});
/// @endcode
///
/// It touches no signal, writes nothing to standard output or standard error, never ends the process, and shares
/// nothing with other applications: a process may have several. The threads of the engine block all signals but those
/// of faults and of profilers, so signal handlers run on the program's own threads.
///
/// Thread safety: all members may be called concurrently, except for moving and destruction. `start`, `stop` and
/// `setup` wait for each other; never call them from a handler. Lifetime: contexts and views must be gone before it;
/// the clock and what the sink uses must outlive it. One that was moved from may only be destroyed or assigned to.
///
/// Needs the CMake target `sluice::application`.
class application {
public:
    /// Reads and checks; opens no database and no broker.
    /// @throws configuration_error with everything that is wrong in the declaration or the configuration
    application(domain declared, const settings& configuration, application_options options = {});
    application(application&&) noexcept;
    application& operator=(application&&) noexcept;
    /// Stops, and waits for every thread however long it takes.
    ~application();

    /// What was found in declaration and configuration that is no error.
    [[nodiscard]] const std::vector<configuration_warning>& warnings() const noexcept;

    /// Makes the tables in all databases, those of read models included, or brings them up to date. Needs the right to
    /// do so; does nothing where all is there.
    /// @throws store_error  a database is away or refuses, belongs to another domain, or was set up by a newer Sluice
    void setup();

    /// Starts lanes, subscriptions and schedules, each on a thread of its own. Embedded databases that are empty are
    /// set up first. After a stop it may be started again.
    /// @throws store_error  a database is away, or its tables are not there or not of this build
    /// @throws usage_error  it runs already, or a stop has not ended
    /// Nothing runs after an exception.
    void start();

    /// From here on it is not ready, though it goes on working: for load balancers, before a stop.
    void drain() noexcept;

    /// Lets every subscription finish the messages in hand and every lane its batch, and gives the leases back.
    /// Whatever was not committed comes again. Commands may still be processed afterwards: what they write waits in the
    /// outbox.
    ///
    /// Within `server.shutdown_seconds`, by default 10, every lane is through with a broker that hangs; a shorter
    /// patience may end before.
    /// @returns true when everything has ended, also when nothing ran. False: a thread is still busy, for example in a
    ///          handler that does not return; another call goes on waiting
    bool stop(duration patience);
    /// Waits for `server.shutdown_seconds` and one second.
    bool stop();

    /// For one thread's commands, repositories and views. Making one is cheap; connections are shared. The tables must
    /// be there, by `setup` or by a start.
    [[nodiscard]] sluice::context context();

    [[nodiscard]] application_status status() const;
    [[nodiscard]] application_health health() const;
    /// In Prometheus' text format (`text/plain; version=0.0.4; charset=utf-8`). Counters go on over stop and start.
    [[nodiscard]] std::string metrics_text() const;
    /// The same as values, for a registry of the program's own.
    [[nodiscard]] std::vector<metric_family> metrics() const;

private:
    friend struct app::application_parts;
    struct implementation;
    std::unique_ptr<implementation> implementation_;
};

}  // namespace sluice
