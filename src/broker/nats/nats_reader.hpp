#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "broker/nats/group_consumer.hpp"
#include "broker/nats/link.hpp"
#include "broker/reader.hpp"

namespace sluice::broker::nats {

/// A consumer for each stream, all over one connection.
class nats_reader final : public reader {
public:
    nats_reader(const std::shared_ptr<const server>& to, const std::vector<std::string>& streams,
                const membership& member);
    nats_reader(const nats_reader&) = delete;
    nats_reader& operator=(const nats_reader&) = delete;
    ~nats_reader() override;

    [[nodiscard]] std::vector<delivery> read(std::size_t stream, std::size_t limit, date_time now) override;
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override;
    void heartbeat(date_time now) override;
    void release() override;
    void ack(std::size_t stream, std::span<const std::string> entries) override;
    [[nodiscard]] keeper* own_keeper() noexcept override { return nullptr; }

private:
    void dispatch(incoming message);
    void take_what_came(session& on);
    /// Runs an action over an open session, and lets go of that when it proves bad.
    template <class Action>
    auto over_session(Action action);
    [[nodiscard]] bool has_some() const;
    [[nodiscard]] base::wake_reason listen(base::wake_signal& signal, const net::deadline& end);

    std::shared_ptr<const server> to_;
    link link_;
    duration claim_;
    std::deque<group_consumer> consumers_;
};

}  // namespace sluice::broker::nats
