#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include "console/access.hpp"

namespace sluice::console {

/// Something that somebody did.
struct audit_entry {
    date_time at{};
    std::string who{};      ///< empty: nobody who is known
    std::string by{};       ///< `session`, `token`, `proxy`
    std::string client{};   ///< address
    std::string action{};   ///< `rows.retry`
    std::string context{};  ///< the domain it was done to; empty for the console itself
    std::string target{};   ///< what it was about, for people; no payload
    std::size_t count = 0;  ///< how many were changed
    std::string error{};    ///< why it failed; empty when it did not
};

/// Writes down what people do with the console: a line of the log each, and the last ones in memory.
///
/// Thread safety: all members may be called concurrently.
class audit_log {
public:
    static constexpr std::size_t most_kept = 500;

    explicit audit_log(const clock& time) : clock_{time} {}

    /// @param entry  `at` is set here
    void write(audit_entry entry);
    /// Newest first. @param limit  at most `most_kept`
    [[nodiscard]] std::vector<audit_entry> latest(std::size_t limit) const;

private:
    const clock& clock_;
    mutable std::mutex mutex_;
    std::deque<audit_entry> entries_{};
};

[[nodiscard]] json::value to_json(const audit_entry& entry);

}  // namespace sluice::console
