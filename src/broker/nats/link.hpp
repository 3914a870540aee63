#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "broker/nats/server.hpp"
#include "broker/nats/session.hpp"
#include "net/deadline.hpp"

namespace sluice::broker::nats {

/// A session that is made anew when it is lost, for as long as it is wanted, with each host in turn. Connecting happens
/// on a thread of its own, so that `open` keeps its deadline whatever a name lookup or a silent server does.
///
/// Thread safety: used by one thread at a time.
class link {
public:
    link(std::shared_ptr<const server> to, std::string name) : to_{std::move(to)}, name_{std::move(name)} {}

    /// @throws outage when there is none by then
    [[nodiscard]] session& open(const net::deadline& until);
    /// The session that is there, open or not; null when there is none.
    [[nodiscard]] session* current() noexcept { return session_.get(); }
    void drop() noexcept { session_.reset(); }
    /// Another number for each session that there ever was; 0: none yet.
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
    [[nodiscard]] const server& to() const noexcept { return *to_; }
    /// Of a call that is not a publish.
    [[nodiscard]] net::deadline answer_deadline(const net::haste* haste = nullptr) const {
        return net::deadline{to_->options().answer_timeout, haste};
    }

private:
    struct attempt;

    void begin_attempt();
    void end_attempt();

    std::shared_ptr<const server> to_;
    std::string name_;
    std::unique_ptr<session> session_;
    std::shared_ptr<attempt> attempt_;  ///< under way; shared with its thread
    std::uint64_t generation_ = 0;
    std::size_t next_host_ = 0;
    int failures_ = 0;                  ///< in a row
    net::deadline pause_{duration{0}};  ///< before the next attempt
    std::string failure_;               ///< of the last attempt
};

}  // namespace sluice::broker::nats
