#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <sluice/error.hpp>

#include "base/wake.hpp"
#include "broker/broker.hpp"
#include "consume/attempt.hpp"
#include "consume/handler_pool.hpp"
#include "consume/inbox_preview.hpp"
#include "consume/keeping_reader.hpp"
#include "consume/message_trace.hpp"
#include "consume/route.hpp"
#include "consume/subscription_plan.hpp"
#include "lease/sequence_lease.hpp"

namespace sluice::consume {

/// What a subscription shows of itself.
struct subscription_status {
    /// idle, working, paused (database away), open and half_open (circuit breaker), disconnected (broker away), standby
    /// (another process handles the messages of this sequential handler), stopped
    std::string state;
    std::string detail;        ///< last trouble, one line
    std::size_t held = 0;      ///< messages in memory
    std::size_t in_hand = 0;   ///< of these, with the handler now
    std::int64_t handled = 0;  ///< since the start; duplicates included
    std::int64_t failed = 0;   ///< attempts
    std::int64_t dead = 0;     ///< messages set aside
    std::int64_t dropped = 0;  ///< messages that would be, without dead letters
};

/// Reads the streams of one route, hands each message to its handler, and acknowledges what was committed: the shell
/// around subscription_plan, on a thread and connections of its own.
///
/// Return of a handler is acknowledgement, an exception is a failed attempt, unless `base::cause_of` says that the
/// surroundings or another writer are to blame: then the message is handled again (see subscription_plan). At most
/// `plan_settings::ack_limit` handled messages are delivered again after a crash; the inbox knows them. Where the route
/// wants no dead letters, what would be set aside is acknowledged instead, and logged as an error.
///
/// With a `concurrency` of 1 the handler runs on the subscription's own thread; one that works longer than the claim
/// time may see its message taken over by another consumer of the group, and the inbox then lets one of the two effects
/// happen. With more, so many threads run handlers, and this one keeps the claims meanwhile.
///
/// With `messages_per_transaction` above 1, messages that wait at the same time are handled in one unit of work, if the
/// route allows it, and their effects commit together; see try_together.
///
/// A sequential route works only while it has its lease, with handlers on threads of their own, so that the lease is
/// renewed however long one takes. When somebody else has taken the lease over, what was in hand is left to him.
///
/// Thread safety: `run` and `work` belong to one thread; `status` may be called by any.
/// Lifetime: `env` must outlive it.
class subscription {
public:
    /// @param consumer  the same after a restart
    /// @param process  tells this process from others whose consumers have that name
    /// @throws configuration_error when the route's broker is not configured
    subscription(commit::environment& env, route what, std::string consumer, broker::incarnation process = {});

    /// Works until `stop` is requested: then the messages in hand are finished, what is done is
    /// acknowledged, and what is not done is free for other consumers at once.
    /// Broker trouble is logged and retried after 1, 2, 4 … 30 seconds.
    /// @throws what is neither the broker's nor the handler's fault; it may be called again then
    void run(const std::stop_token& stop);

    /// Works until there is nothing to do now, and says how long that holds. Used by `run`, and by tests that move
    /// their own clock.
    [[nodiscard]] duration work(const std::stop_token& stop = {});

    [[nodiscard]] const route& where() const noexcept { return route_; }
    [[nodiscard]] subscription_status status() const;

private:
    void perform(const handle_parcel& act);
    void perform(const handle_together& act);
    void perform(const acknowledge& act);
    void perform(const put_off& act);
    void perform(const set_aside& act);
    void perform(const read_more& act);
    void perform(const breaker_turned& act);
    void perform(const keep_claims& act);
    void perform(const reopen& act);

    [[nodiscard]] arrival look_at(std::size_t source, broker::delivery delivery) const;
    [[nodiscard]] command::message_terms terms_of(const parcel& what);
    void handle_alone(const handle_parcel& act, const command::message_terms& terms);
    void run_or_give(std::function<std::vector<handler_pool::finished>()> work);
    void look_in_inbox(const std::vector<arrival>& arrivals);
    void drop(const set_aside& act);
    [[nodiscard]] std::string key_of(const message& content, const std::string& stream_key) const;
    /// Reports what came of the parcel in hand.
    void conclude(parcel_number number, const attempt& made);
    void conclude_finished();
    void paused(bool begins, const std::string& reason);
    void tell_hindered(const parcel& what, int attempts, const std::string& reason);
    void outage_over(bool over);
    void count_failure(const std::string& reason);

    /// False while another process has the lease.
    [[nodiscard]] bool may_work();
    [[nodiscard]] duration stand_by();
    [[nodiscard]] duration rest_until(const rest& quiet);

    void open();
    /// The reader of a broker that keeps nothing of what failed, with the database as its keeper.
    [[nodiscard]] std::unique_ptr<keeping_reader> keep_here(std::unique_ptr<broker::reader> reader);
    void close() noexcept;
    [[nodiscard]] duration disconnected(const error& trouble);
    void finish_in_hand();
    void leave() noexcept;
    void wait(duration timeout);

    void show(std::string state, std::string detail = {});
    [[nodiscard]] base::moment now() const { return base::moment_of(env_.time()); }

    commit::environment& env_;
    route route_;
    broker::membership member_;
    broker::broker& broker_;
    message_trace trace_;
    subscription_plan plan_;
    inbox_preview preview_;
    base::wake_signal signal_;
    std::unique_ptr<broker::reader> reader_;  ///< of all streams; null while disconnected
    keeping_reader* keeping_ = nullptr;       ///< the same, where the database keeps what failed
    bool listen_ = false;
    int disconnections_ = 0;                        ///< in a row
    std::unique_ptr<lease::sequence_lease> lease_;  ///< of a sequential route
    bool owner_ = false;                            ///< worked under the lease at last

    mutable std::mutex mutex_;
    subscription_status status_;
    std::unique_ptr<handler_pool>
        pool_;  ///< when handlers have threads of their own; last: joined before the rest goes
};

}  // namespace sluice::consume
