#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>

#include "broker/broker.hpp"
#include "support/consumer.hpp"
#include "support/notes.hpp"
#include "support/temporary_directory.hpp"

namespace sluice::broker::contract {

/// A clock that stands still until it is set.
class set_clock final : public clock {
public:
    explicit set_clock(date_time at) : now_{at} {}
    [[nodiscard]] date_time now() const override { return now_.load(); }
    [[nodiscard]] instant monotonic_now() const override { return {}; }
    void set(date_time at) { now_ = at; }

private:
    std::atomic<date_time> now_;
};

/// One broker that the suite is run for.
struct subject {
    std::string name;
    /// @param server_time  for a broker that has a clock of its own
    std::function<std::unique_ptr<broker>(const std::filesystem::path& directory, const clock& server_time)> make;
    bool deduplicates = true;  ///< a second publish of one id into one stream is recognised, whoever sent the first
    bool recognises_copies = true;   ///< the same by whoever publishes next, and a copy is told from its namesakes
    bool knows_keys = true;          ///< `delivery::key` is the key that was published
    bool fences = true;              ///< an older epoch of a producer is refused
    bool fences_members = true;      ///< what a former holder of a message says of it has no effect
    bool shares_groups = true;       ///< members of a group read side by side; else one reads and the others stand by
    bool takes_over_by_time = true;  ///< what a silent member holds goes to others after the claim time; else when its
                                     ///< connection has ended
    bool knows_incarnations = true;  ///< of two members of one name and place one is dead, and the other has its place
    bool confirms_acks = true;       ///< what was acknowledged does not come again, even when its reader goes at once
    bool keeps_history = true;  ///< a group begins where it wants to; else it has what was published since it began
    bool orders_across_keys = true;  ///< messages of a batch stay in order whatever their keys are

    friend void PrintTo(const subject& s, std::ostream* out) { *out << s.name; }
};

inline constexpr date_time noon = date_time::from_micros(1'780'000'000'000'000);
inline constexpr duration second{std::chrono::seconds{1}};
inline constexpr duration claim = 30 * second;

/// A message that owns its texts.
struct note {
    std::string id;
    std::string key;
    std::string body = "{}";
    std::string stream = "shop::order";
};

template <class Verdict>
[[nodiscard]] bool is(const verdict& v) {
    return std::holds_alternative<Verdict>(v);
}

[[nodiscard]] std::vector<verdict> publish(publisher& to, const std::vector<note>& notes, const producer& from = {});
/// Publishes, and fails the test unless everything is delivered.
void deliver(broker& to, const std::vector<note>& notes);
/// `n` messages `{prefix}0`, `{prefix}1`, … whose keys alternate between `keys` keys.
[[nodiscard]] std::vector<note> notes(std::string_view prefix, int n, int keys = 1);

[[nodiscard]] std::vector<std::string> entries_of(const std::vector<delivery>& deliveries);
[[nodiscard]] std::vector<std::string> bodies_of(const std::vector<delivery>& deliveries);
/// Bodies that a new group finds in the stream.
[[nodiscard]] std::vector<std::string> everything_in(broker& in, const std::string& stream = "shop::order");

/// Every broker must pass every test of this suite.
class broker_contract : public ::testing::TestWithParam<subject> {
protected:
    [[nodiscard]] std::unique_ptr<sluice::testing::consumer> join(std::string group, std::string name) {
        return sluice::testing::open_consumer(*broker_, "shop::order",
                                              {.group = std::move(group), .consumer = std::move(name), .claim = claim});
    }

    /// The same, of a process with an incarnation.
    [[nodiscard]] std::unique_ptr<sluice::testing::consumer> join(std::string name, incarnation process) {
        return sluice::testing::open_consumer(
            *broker_, "shop::order",
            {.group = "g", .consumer = std::move(name), .claim = claim, .process = std::move(process)});
    }
    /// The places of the streams of `join_both_lanes`.
    static constexpr std::size_t primary = 0;
    static constexpr std::size_t backfill = 1;
    [[nodiscard]] std::unique_ptr<reader> join_both_lanes() {
        return broker_->open_reader({"shop::order", "shop::order:backfill"},
                                    {.group = "g", .consumer = "c", .claim = claim});
    }

    /// From now on it is that late, for the broker as for the consumers that are told so.
    [[nodiscard]] date_time at(date_time now) {
        server_time_.set(now);
        return now;
    }

    sluice::testing::temporary_directory directory_;
    set_clock server_time_{noon};
    std::unique_ptr<broker> broker_ = GetParam().make(directory_.path(), server_time_);
};

}  // namespace sluice::broker::contract
