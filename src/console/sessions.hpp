#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <sluice/time.hpp>

#include "base/random.hpp"

namespace sluice::console {

/// How long a session lives.
struct session_limits {
    duration lifetime{};
    duration idle{};            ///< without a request
    std::size_t most = 10'000;  ///< the one that was idle longest makes room
};

/// Who is logged in. In memory: a restart logs everybody out. Ids are kept as digests, so that a copy of the memory's
/// index opens nothing.
///
/// Thread safety: all members may be called concurrently. Lifetime: clock and random source must outlive it.
class session_store {
public:
    /// @param random  fit for secrets
    session_store(const clock& time, base::random_source& random, session_limits limits)
        : clock_{time}, random_{random}, limits_{limits} {}

    /// A new id, which nobody can guess.
    [[nodiscard]] std::string open(const std::string& user);
    /// Whose it is; nothing when it has ended or never was.
    /// @param in_use  false: somebody's page asks by itself, which is no sign that the person is there
    [[nodiscard]] std::optional<std::string> user_of(std::string_view id, bool in_use = true);
    void close(std::string_view id);
    [[nodiscard]] std::size_t size() const;

private:
    struct session {
        std::string user;
        instant begin;
        instant seen;
    };

    void remove_ended(instant now);
    [[nodiscard]] bool has_ended(const session& each, instant now) const;

    const clock& clock_;
    base::random_source& random_;
    session_limits limits_;
    mutable std::mutex mutex_;
    std::map<std::string, session, std::less<>> sessions_{};  ///< by digest
};

}  // namespace sluice::console
