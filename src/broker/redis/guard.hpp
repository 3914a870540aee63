#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/redis/connection.hpp"

namespace sluice::broker::redis {

/// The account may not use what a guard needs.
class forbidden : public outage {
public:
    using outage::outage;
};

/// Commands between MULTI and EXEC.
class transaction {
public:
    transaction() { clear(); }
    explicit transaction(const commands& what) {
        clear();
        pipeline_.append(what);
    }
    /// Keeps the memory for what comes next.
    void clear() { pipeline_.clear(), pipeline_.add("MULTI"); }

    /// What is between MULTI and EXEC, as long as EXEC was not added.
    [[nodiscard]] std::string_view body() const;
    /// Where commands are added.
    [[nodiscard]] commands& what() noexcept { return pipeline_; }
    [[nodiscard]] std::size_t count() const noexcept { return pipeline_.count() - 1; }

private:
    commands pipeline_;
};

/// What became of a transaction.
struct outcome {
    std::vector<reply> queued;  ///< one per command: `QUEUED`, or why it was not taken
    reply result;  ///< one element per command; nil when the guard was lost; an error when nothing was done

    [[nodiscard]] bool lost() const noexcept { return result.is_nil(); }
    [[nodiscard]] bool done() const noexcept { return result.is_array(); }
};

/// Runs MULTI/EXEC without a guard.
[[nodiscard]] outcome run_transaction(connection& on, transaction& what, const net::deadline& until);

/// A hash whose field `token` names one holder. What the holder does is done in transactions that take effect only
/// while the hash is as the holder left it: whoever writes another token shuts the former holder out, whatever that one
/// has sent before and has not been executed yet.
///
/// No scripts in ordinary life: WATCH is set again at the end of each transaction, so each costs one round trip. But a
/// server at its `maxmemory` takes no transaction at all, whatever is in it. A guard that is made to go on then sends
/// the same commands as a script that the server may run in spite of that (Redis 7); it compares the hash itself.
///
///     auto now_there = hash.look(connection, until);            // decide whether it may be taken
///     if (hash.take(connection, "token", more_fields, {}, until)) ... hash.run(connection, commands, until)
///
/// Thread safety: used by one thread at a time. Belongs to one connection: forget it with the connection.
class guard {
public:
    enum class when_full {
        fail,  ///< a full server is an outage
        go_on  ///< for what adds next to nothing and is needed to make room: reading, acknowledging, setting aside
    };

    explicit guard(std::string key, when_full policy = when_full::fail) : key_{std::move(key)}, policy_{policy} {}

    using fields = std::map<std::string, std::string, std::less<>>;

    /// Everything in the hash; from now on it is watched. Holds nothing any more.
    /// @throws outage; forbidden when the account may not
    [[nodiscard]] fields look(connection& on, const net::deadline& until);
    /// Writes token and fields, and runs `more` with them. False when somebody else wrote since `look`.
    [[nodiscard]] bool take(connection& on, std::string token, const fields& values, const commands& more,
                            const net::deadline& until);
    /// Runs a transaction as the holder. When lost, nothing was done.
    [[nodiscard]] outcome run(connection& on, transaction& what, const net::deadline& until);

    [[nodiscard]] bool held() const noexcept { return !token_.empty(); }
    void let_go() noexcept { token_.clear(); }
    [[nodiscard]] const std::string& key() const noexcept { return key_; }

private:
    [[nodiscard]] outcome run(connection& on, transaction& what, const fields& comparing, const net::deadline& until);
    [[nodiscard]] outcome run_script(connection& on, std::string_view body, const fields& comparing,
                                     const net::deadline& until);

    std::string key_;
    when_full policy_;
    std::string token_;                                   ///< empty: not ours
    fields seen_;                                         ///< the hash at the last look
    std::chrono::steady_clock::time_point full_until_{};  ///< so long no transaction is tried
    bool full_ = false;
};

}  // namespace sluice::broker::redis
