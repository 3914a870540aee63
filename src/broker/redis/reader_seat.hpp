#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "broker/membership.hpp"
#include "broker/redis/connection.hpp"
#include "broker/redis/guard.hpp"
#include "broker/redis/told_time.hpp"

namespace sluice::broker::redis {

/// The seat of the one member of a group that reads a stream. It is taken under the group's lease, and everything its
/// holder does is done under the lease, so a member that was frozen past its time neither takes nor settles anything
/// behind its successor. Until when the lease lasts is told and judged by the server's clock. A lease that is not
/// renewed for as long as it lasts counts as free, too, whatever time it names.
///
/// Thread safety: used by one thread at a time.
class reader_seat {
public:
    /// @param inherited  keys of the streams whose pending entries a successor takes over
    reader_seat(std::shared_ptr<server> at, std::string stream, membership member, std::vector<std::string> inherited);
    reader_seat(const reader_seat&) = delete;
    reader_seat& operator=(const reader_seat&) = delete;
    /// Gives the lease back without waiting, so that another member goes on at once.
    ~reader_seat();

    /// Takes the seat with all that former readers have pending, when it is free, ours, or its holder was silent for
    /// too long. Makes the group when there is none. False: somebody else reads.
    /// @throws outage, as all that asks the server
    [[nodiscard]] bool take(const net::deadline& until);
    [[nodiscard]] bool held() const noexcept { return lease_.held(); }
    /// Somebody else has it, or may have.
    void let_go() noexcept { lease_.let_go(); }
    /// Gives it back.
    void leave(const net::deadline& until);
    void disconnect() noexcept;

    /// Runs a transaction under the lease. Nothing when the lease was lost; then nothing was done.
    [[nodiscard]] std::optional<reply> run(const commands& what, const net::deadline& until);
    /// What prolongs the lease, as the first command of a transaction.
    [[nodiscard]] commands renewal() const;

    void ask_server_time(const net::deadline& until);
    [[nodiscard]] date_time server_now() const;

    /// Messages that were cut off the stream (`maxlen`) before the group got there: nobody can read them any more.
    void tell_trimmed(std::size_t count, const std::string& first) const;

    [[nodiscard]] redis::link& link() noexcept { return link_; }
    [[nodiscard]] const redis::link& link() const noexcept { return link_; }
    [[nodiscard]] const std::string& stream() const noexcept { return stream_; }
    [[nodiscard]] const membership& member() const noexcept { return member_; }

private:
    using monotonic = std::chrono::steady_clock;
    /// A lease of somebody else, and since when it was seen as it is.
    struct sighting {
        std::string lease;
        monotonic::time_point since;
    };

    [[nodiscard]] std::string beginning(const net::deadline& until);
    /// Behind which entry a group that is not there is made.
    [[nodiscard]] std::string place_of_new_group() const;
    [[nodiscard]] bool may_take(const guard::fields& lease, const net::deadline& until);
    [[nodiscard]] bool lives(const guard::fields& lease);
    void tell_of_namesake(const net::deadline& until);
    [[nodiscard]] bool take_over();
    [[nodiscard]] bool inherit(const std::string& key, const std::string& former);

    redis::link link_;
    std::string stream_;
    membership member_;
    std::vector<std::string> inherited_;
    guard lease_;
    std::optional<told_time> server_{};
    std::optional<sighting> other_{};
    bool told_of_namesake_ = false;
    bool joined_ = false;  ///< at least once: a group that vanished since is made anew at the beginning
};

}  // namespace sluice::broker::redis
