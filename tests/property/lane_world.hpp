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
#include "support/scripted_broker.hpp"
#include "support/virtual_clock.hpp"

namespace sluice::testing {

/// Makes the adapters under test; the store is set up already.
struct world_parts {
    std::unique_ptr<store::database> database;
    std::map<std::string, std::shared_ptr<broker::broker>> brokers;  ///< default, east, west
};

/// One database, one internal and two external brokers, and everything that can happen to them and their lanes, decided
/// by a seed. Time is virtual, and lanes are turned by hand, so that a run is the same each time.
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
    /// The lane that owns or stands by, and those that were left behind frozen.
    struct post {
        std::string broker;
        std::shared_ptr<broker_script> script;
        std::unique_ptr<outbox::lane> lane;
        std::vector<std::unique_ptr<outbox::lane>> frozen;
        std::set<std::string> may_be_refused{};
        std::set<std::string> discarded{};
        std::set<std::string> reopened{};  ///< given up and then retried: out of order by the operator's wish
    };

    // What can happen.
    void commit_some();
    void turn_some();
    void pass_time();
    void toggle_outage();
    void plan_refusal();
    void lose_confirmations();
    void crash_lane();
    void freeze_lane();
    void turn_frozen();
    void stop_lane();
    void operator_retry();
    void operator_discard();

    // What must hold.
    void check_rows();
    void check_order(const post& p);
    void check_nothing_lost(const post& p);
    void check_only_what_belongs(const post& p);

    void tell(const std::string& line) { story_ += line + "\n"; }
    void complain(const std::string& what) { complaints_.push_back(what); }
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_.next() % bound; }
    [[nodiscard]] post& any_post() { return posts_[below(posts_.size())]; }
    [[nodiscard]] std::string any_message();
    [[nodiscard]] std::unique_ptr<outbox::lane> new_lane(const post& p);
    [[nodiscard]] std::vector<store::outbox_row> rows_of(const std::string& target_broker);
    [[nodiscard]] std::set<std::string> taken_by(const post& p) const;
    [[nodiscard]] bool is_for(const committed_event& event, const post& p) const;
    /// One turn; the time until which the lane wants to sleep.
    std::optional<date_time> turn(outbox::lane& lane);

    base::seeded_random random_;
    virtual_clock clock_;
    flakiness faults_;
    world_parts parts_;
    flaky_database flaky_;
    std::map<std::string, std::unique_ptr<scripted_broker>> scripted_;
    observe::tracer tracer_{"shop", clock_};
    std::unique_ptr<store::unit_session> unit_;
    std::unique_ptr<store::operations_session> operations_;
    config::outbox_settings settings_;
    outbox::overlap overlapping_;
    std::array<int, 4> numbers_{};  ///< events so far, per aggregate
    std::vector<committed_event> events_;
    int lanes_made_ = 0;
    std::vector<std::string> complaints_;
    std::string story_;
    std::vector<post> posts_;  ///< last: lanes go before what they stand on
};

}  // namespace sluice::testing
