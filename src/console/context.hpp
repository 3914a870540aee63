#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/time.hpp>

#include "console/rebuilds.hpp"
#include "operate/commands.hpp"
#include "operate/installation.hpp"
#include "operate/read_models.hpp"
#include "operate/settings.hpp"
#include "operate/status.hpp"

namespace sluice::console {

/// A lane at one moment of the last hour.
struct lane_sample {
    date_time at{};
    std::int64_t depth = 0;
    double rate = 0;
};

/// The status of an installation, which many may ask for and few look up, and how its lanes were lately.
///
/// Thread safety: all members may be called concurrently. Lifetime: what it looks at must outlive it.
class status_board {
public:
    static constexpr duration fresh = std::chrono::seconds{1};  ///< so old an answer is still given
    /// Where many rows wait, to count them takes long: a look is good for ten times as long as it took, up to this.
    static constexpr duration longest_fresh = std::chrono::minutes{1};
    static constexpr duration sample_step = std::chrono::seconds{30};  ///< between two samples
    static constexpr std::size_t most_samples = 120;

    /// @param declared  null: no domain is known
    status_board(const operate::installation& with, const operate::declared_installation* declared, const clock& time);
    status_board(const status_board&) = delete;
    status_board& operator=(const status_board&) = delete;
    ~status_board();

    /// As it is now, or was a moment ago. Those who ask at the same time wait for one look.
    [[nodiscard]] std::shared_ptr<const operate::status_view> look();
    /// Somebody has changed something: the next look is a new one.
    void forget();
    /// Oldest first.
    [[nodiscard]] std::vector<lane_sample> samples_of(const std::string& database, const std::string& broker) const;

private:
    void keep_sampling(const std::stop_token& stop);
    void sample(const operate::status_view& status);

    const operate::installation& with_;
    const operate::declared_installation* declared_;
    const clock& clock_;
    std::mutex looking_;
    mutable std::mutex mutex_;
    std::condition_variable_any tick_;
    std::shared_ptr<const operate::status_view> last_{};
    instant good_until_{};       ///< of `last_`
    std::uint64_t changes_ = 0;  ///< how often somebody has changed something
    std::map<std::pair<std::string, std::string>, std::deque<lane_sample>> samples_{};
    instant sampled_at_{};
    bool has_samples_ = false;
    std::jthread sampler_;  // last: gone before what it uses
};

/// One installation that the console shows.
///
/// Thread safety: all members may be called concurrently; each opens sessions of its own.
class context {
public:
    /// Opens what the site names, to look at it and repair it. Without a domain, or when its database is away, what
    /// only a declaration tells is not known.
    /// @throws configuration_error
    context(const operate::site& at, const clock& time);
    /// Tells the configuration, key by key.
    using settings_source = std::function<operate::settings_view()>;

    /// Of a running engine, with its databases and brokers.
    context(settings_source settings, commit::environment& running, const clock& time);
    context(const context&) = delete;
    context& operator=(const context&) = delete;

    /// Of the domain; `default` when none is known. Two contexts of one name get a number: `renamed`.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    void rename(std::string name) { name_ = std::move(name); }
    /// @throws configuration_error when it cannot be read (any more)
    [[nodiscard]] operate::settings_view settings() const { return settings_(); }
    [[nodiscard]] const operate::installation& with() const noexcept { return with_; }
    /// Null: no domain is known.
    [[nodiscard]] const operate::declared_installation* declared() const noexcept {
        return declared_.env ? &declared_ : nullptr;
    }
    /// For what no domain tells. @throws request_error (conflict) with the remedy when none is known
    [[nodiscard]] const operate::declared_installation& require_declared() const;
    /// Why no domain is known.
    [[nodiscard]] const std::string& why_undeclared() const noexcept { return why_undeclared_; }
    [[nodiscard]] status_board& board() noexcept { return *board_; }
    /// @throws request_error (conflict) when no domain is known; store_error
    [[nodiscard]] operate::read_models_view read_models();

    /// Begins to build a read model anew from the event log, and does not wait for it.
    /// @throws request_error when there is no such read model, no domain is known, or it is under way here
    void begin_rebuild(const std::string& read_model);
    /// Why the last rebuild of a read model that was begun here failed, by name.
    [[nodiscard]] std::map<std::string, std::string> failed_rebuilds() const { return rebuilds_.failures(); }

    /// Runs a command, in a unit of work of its own. @param asynchronous  only writes it down; the engine runs it
    /// @throws whatever the command throws; request_error, configuration_error, store_error
    [[nodiscard]] operate::command_answer send(const operate::command_request& request, bool asynchronous) const;

private:
    [[nodiscard]] projection::rebuild_report rebuild(const std::string& read_model,
                                                     projection::rebuild_host& host) const;

    std::optional<operate::site> site_{};  ///< where nothing runs in this process
    settings_source settings_;
    std::string name_{"default"};
    std::string why_undeclared_{};
    operate::declared_installation declared_{};
    operate::installation with_{};
    std::mutex readers_mutex_;                ///< of who feeds which read model, which a look at them learns anew
    commit::environment* running_ = nullptr;  ///< of an engine in this process
    std::unique_ptr<status_board> board_;
    rebuilds rebuilds_{[this](const std::string& read_model, projection::rebuild_host& host) {
        return rebuild(read_model, host);
    }};  // last: uses the rest
};

}  // namespace sluice::console
