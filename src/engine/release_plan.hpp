#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "store/records.hpp"

namespace sluice::engine {

/// Decides which scheduled messages are released together, and when to look for the next ones. Pure.
///
/// Several engines may release the same messages at a time; the database lets one of them. The others ask again for
/// half as many, until they are past what was taken. A message that the database does not want for a reason of its own
/// is put off by a minute, so that it delays no other; likewise one that is hindered, by a lock for example, twice in a
/// row by itself.
///
/// Thread safety: none.
class release_plan {
public:
    /// @param poll  the longest time between two looks: another process may have scheduled something
    explicit release_plan(duration poll) : poll_{poll} {}

    /// How many due messages to ask for: one round, and those that are put off.
    [[nodiscard]] std::size_t limit() const noexcept { return round_ + put_off_.size(); }

    /// Those of the due messages to release together now; none when all are put off.
    [[nodiscard]] std::vector<store::scheduled_message> choose(std::vector<store::scheduled_message> due, instant now);

    void released() noexcept { round_ = most; }
    /// Somebody else has released one of them. A message of which that was said twice, and which is still there, is put
    /// off.
    void contested(const std::vector<store::scheduled_message>& chosen, instant now);
    /// The database refused them. One alone is put off: true then.
    [[nodiscard]] bool refused(const std::vector<store::scheduled_message>& chosen, instant now);

    enum class next_step { go_on, put_off, pause };
    /// The database could not take them now. Fewer are asked for, until one is alone: everything pauses for it once,
    /// and it is put off when that did not help.
    [[nodiscard]] next_step hindered(const std::vector<store::scheduled_message>& chosen, instant now);

    /// How long to rest when nothing is left to release.
    [[nodiscard]] duration rest(std::optional<date_time> next_due, date_time now) const;

private:
    static constexpr std::size_t most = 100;

    void halve() noexcept { round_ = round_ > 1 ? round_ / 2 : 1; }
    void put_off(const std::string& id, instant now);

    duration poll_;
    std::size_t round_ = most;
    std::string contested_alone_;             ///< id of the last message that was contested by itself
    std::string hindered_alone_;              ///< id of the last message that was hindered by itself
    std::map<std::string, instant> put_off_;  ///< until when, by id
};

}  // namespace sluice::engine
