#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "observe/tracer.hpp"
#include "outbox/lane.hpp"
#include "property/flaky_database.hpp"
#include "property/world_clock.hpp"
#include "support/scripted_broker.hpp"

namespace sluice::testing {

/// The network between processes and their servers, where there is one.
class world_network {
public:
    virtual ~world_network() = default;

    // What a new process opens.
    [[nodiscard]] virtual std::shared_ptr<store::database> connect_database() = 0;
    [[nodiscard]] virtual std::shared_ptr<broker::broker> connect_broker(const std::string& name) = 0;

    /// Makes it worse, or better, for a while or until the next time; says how.
    virtual std::string disturb(base::random_source& random) = 0;
    /// All is well from here on.
    virtual void calm() = 0;
    /// The ids of the messages in a broker's stream, in order, each as often as it is there.
    [[nodiscard]] virtual std::vector<std::string> kept(const std::string& broker, const std::string& stream) = 0;
};

/// The adapters under test; the store is set up already.
struct world_parts {
    std::shared_ptr<store::database> database;  ///< what the world looks with; nothing ever is in its way
    std::map<std::string, std::shared_ptr<broker::broker>> brokers;  ///< default, east, west
    std::unique_ptr<world_network> network{};                        ///< null: nothing is between
    /// Of the processes. It flows where the database has a clock of its own.
    std::shared_ptr<world_clock> time = std::make_shared<world_clock>();
};

/// One database, one internal and two external brokers, and everything that can happen to them and their lanes, decided
/// by a seed. Lanes are turned by hand, and time is virtual unless the database has a clock of its own, so that a run
/// is the same each time.
///
/// What must hold is checked along the way and at the end; `complaints()` tells what did not.
class lane_world {
public:
    lane_world(std::uint64_t seed, world_parts parts);

    /// Lets `steps` random things happen.
    void live(int steps);
    /// Ends all trouble and lets the lanes finish.
    void come_to_rest();
    void check_at_rest();

    /// How often a lane was seen that was about to go to another engine.
    [[nodiscard]] int hand_overs() const noexcept { return hand_overs_; }
    [[nodiscard]] const std::vector<std::string>& complaints() const noexcept { return complaints_; }
    /// What happened, one line each.
    [[nodiscard]] const std::string& story() const noexcept { return story_; }

private:
    struct committed_event {
        std::string message_id;
        int aggregate;
        int number;  ///< position within its aggregate
        bool published;
    };
    /// A lane as a process of its own has it: with its own ways to the database and to the broker.
    struct process {
        process(std::shared_ptr<store::database> to_database, const flakiness& faults, scripted_broker to_broker,
                const outbox::lane_settings& settings, lane_world& world);

        std::shared_ptr<store::database> database;
        flaky_database flaky;
        scripted_broker broker;
        outbox::lane lane;
    };
    /// The processes that own the lanes or stand by, of one engine or two, and those that were left behind frozen.
    struct post {
        std::string broker;
        std::shared_ptr<broker_script> script;
        std::vector<std::unique_ptr<process>> now{};
        std::vector<std::unique_ptr<process>> frozen{};
        std::set<std::string> may_be_refused{};
        std::set<std::string> discarded{};
        std::set<std::string> reopened{};  ///< given up and then retried: out of order by the operator's wish
    };

    void hurry();
    // What can happen.
    void commit_some();
    void turn_some();
    void pass_time();
    void set_calendar();
    void toggle_outage();
    void plan_refusal();
    void lose_confirmations();
    void disturb_network();
    void crash_lane();
    void freeze_lane();
    void turn_frozen();
    void stop_lane();
    void change_shards();
    void operator_retry();
    void operator_discard();
    void operator_backfills();
    /// From now on events are committed for the partner west, too, and a backfill gives it those of before.
    void west_joins();

    // What must hold.
    void check_rows();
    /// Somebody else owns rows of this lane, and did all the time, if asked before and after.
    [[nodiscard]] bool is_owned_by_successor(const outbox::lane& zombie);
    void check_atomic();
    void check_order(const post& p);
    void check_nothing_lost(const post& p);
    void check_only_what_belongs(const post& p);

    void tell(const std::string& line) { story_ += line + "\n"; }
    void complain(const std::string& what) { complaints_.push_back(what); }
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }
    [[nodiscard]] post& any_post() { return posts_[below(posts_.size())]; }
    [[nodiscard]] std::string any_message();
    [[nodiscard]] std::unique_ptr<process>& any_process(post& p) { return p.now[below(p.now.size())]; }
    [[nodiscard]] std::unique_ptr<process> new_process(const post& p, store::shard part, std::string owner);
    [[nodiscard]] std::string new_owner() { return "owner-" + std::to_string(++owners_made_); }
    [[nodiscard]] std::unique_ptr<process> successor_of(const post& p, const process& former);
    /// For a few shards, one of each engine.
    [[nodiscard]] std::vector<std::unique_ptr<process>> new_processes(const post& p);
    void stop(const post& p, outbox::lane& lane);
    [[nodiscard]] bool write(const store::commit_batch& batch);
    [[nodiscard]] std::vector<store::outbox_row> rows_of(const std::string& target_broker);
    [[nodiscard]] std::vector<std::string> kept_by(const post& p) const;
    [[nodiscard]] std::set<std::string> taken_by(const post& p) const;
    [[nodiscard]] bool is_for(const committed_event& event, const post& p) const;
    /// One turn; the time until which the lane wants to sleep.
    std::optional<instant> turn(outbox::lane& lane);
    std::optional<instant> turn_to_rest(outbox::lane& lane);
    [[nodiscard]] bool is_all_done();

    base::seeded_random random_;
    flakiness faults_;
    world_parts parts_;
    world_clock& clock_ = *parts_.time;
    observe::tracer tracer_{"shop", clock_};
    std::shared_ptr<store::database> writing_;  ///< of the process that commits
    std::unique_ptr<store::unit_session> unit_;
    std::unique_ptr<store::operations_session> operations_;
    std::unique_ptr<store::backfill_session> backfills_;
    config::outbox_settings settings_;
    outbox::overlap overlapping_;
    std::array<int, 4> numbers_{};            ///< events so far, per aggregate
    std::array<std::int64_t, 4> versions_{};  ///< states written so far, per aggregate
    std::vector<committed_event> events_;
    bool west_has_joined_ = false;
    bool backfill_rests_ = false;
    int owners_made_ = 0;
    int hand_overs_ = 0;
    std::vector<std::string> complaints_;
    std::string story_;
    std::vector<post> posts_;  ///< last: lanes go before what they stand on
};

}  // namespace sluice::testing
