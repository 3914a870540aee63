#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/broker.hpp"

namespace sluice::testing {

/// A message that the broker behind the script took.
struct accepted_message {
    std::string message_id;
    std::string key;
    std::string body;
    std::string receipt;
};

/// What a scripted broker is to do wrong, and what the broker behind it took.
///
/// Thread safety: all members may be called concurrently, also while lanes publish.
class broker_script {
public:
    /// While away, publishing answers `unreachable`, everything else throws, and nothing reaches the broker.
    void set_unreachable(bool away, std::string reason = "scripted outage");
    /// While hanging, a publish answers nothing until its timeout, until its publisher is in a hurry, or until the hang
    /// ends; then it is `unreachable`.
    void hang(bool hanging);
    /// The next `times` attempts to publish this message are refused; always when negative.
    void refuse(std::string message_id, int times, bool permanent = false);
    /// The next messages are taken, but the confirmation never arrives: they are `unreachable`, as are later ones of
    /// their keys in the same batch.
    void lose_confirmation_of(int messages);

    /// What the broker took, in order, each once.
    [[nodiscard]] std::vector<accepted_message> accepted(std::string_view stream) const;
    [[nodiscard]] std::vector<std::string> accepted_ids(std::string_view stream) const;
    /// How many messages were sent again although the broker had them.
    [[nodiscard]] std::size_t duplicates() const;
    /// How many batches were tried, whatever became of them.
    [[nodiscard]] std::size_t attempts() const;
    /// How many probes have begun.
    [[nodiscard]] std::size_t probes() const;

    /// The reason while the broker is away.
    [[nodiscard]] std::optional<std::string> outage() const;
    /// @throws broker_error while away
    void require_reachable() const;

private:
    friend class scripted_publisher;

    using instant = std::chrono::steady_clock::time_point;

    /// @param leave_by  of the publisher; written with the mutex held
    [[nodiscard]] bool silent_for(duration timeout, const instant& leave_by);
    void hurry(instant& leave_by, duration patience);
    [[nodiscard]] std::optional<broker::refused> refusal_of(std::string_view message_id);
    [[nodiscard]] bool loses_confirmation();
    void record(const broker::outgoing& message, const broker::delivered& confirmation);
    void count_attempt();
    void count_probe();

    struct refusal {
        int times;
        bool permanent;
    };

    mutable std::mutex mutex_;
    std::mutex publishing_;  ///< the record has the broker's order
    std::condition_variable hang_ended_;
    bool hanging_ = false;
    std::optional<std::string> outage_{};
    std::map<std::string, refusal, std::less<>> refusals_;
    int lost_confirmations_ = 0;
    std::map<std::string, std::vector<accepted_message>, std::less<>> accepted_;
    std::set<std::pair<std::string, std::string>> receipts_;  ///< stream and receipt
    std::size_t duplicates_ = 0;
    std::size_t attempts_ = 0;
    std::size_t probes_ = 0;
};

/// Puts a script between the layers under test and a real broker. Several may share one script and one broker: a
/// process that "restarts" gets a new one.
class scripted_broker final : public broker::broker {
public:
    scripted_broker(std::shared_ptr<sluice::broker::broker> behind, std::shared_ptr<broker_script> script)
        : behind_{std::move(behind)}, script_{std::move(script)} {}

    [[nodiscard]] std::string describe() const override { return "scripted " + behind_->describe(); }
    [[nodiscard]] sluice::broker::capabilities can() const override { return behind_->can(); }
    [[nodiscard]] std::unique_ptr<sluice::broker::publisher> open_publisher() override;
    [[nodiscard]] std::unique_ptr<sluice::broker::reader> open_reader(
        const std::vector<std::string>& streams, const sluice::broker::membership& member) override;
    [[nodiscard]] std::unique_ptr<sluice::broker::operations> open_operations() override;

private:
    std::shared_ptr<sluice::broker::broker> behind_;
    std::shared_ptr<broker_script> script_;
};

}  // namespace sluice::testing
