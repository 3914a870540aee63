#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/kafka/client.hpp"
#include "broker/kafka/cluster.hpp"
#include "broker/kafka/delivery_reports.hpp"
#include "broker/kafka/kafka_publisher.hpp"
#include "broker/kafka/topics.hpp"
#include "broker/kafka/transaction.hpp"
#include "broker/publisher.hpp"
#include "broker/send_window.hpp"

namespace sluice::broker::kafka {

/// Sends each batch as one transaction under the name of the lane: all of it is there, or nothing, so a whole run of a
/// key goes at once. The first transaction of an owner fences the one before it: of what that had under way nothing is
/// visible to readers of committed data. A batch that is refused goes again one message a transaction.
///
/// A producer without a name publishes without transactions.
class transactional_publisher final : public publisher {
public:
    explicit transactional_publisher(std::shared_ptr<const cluster> at);

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override;
    [[nodiscard]] std::string probe(duration timeout) override { return plain_.probe(timeout); }
    [[nodiscard]] std::optional<fence_state> rival() const override { return rival_; }
    void hurry(duration patience) noexcept override {
        haste_.hurry(patience);
        plain_.hurry(patience);
    }

private:
    /// Where the transaction stands that is under way.
    enum class stage { none, open, to_commit, to_abort };

    void open(const producer& from, duration timeout, const net::deadline& until);
    void send_all(const net::deadline& until);
    /// True when no transaction is under way any more.
    [[nodiscard]] bool finish_transaction(const net::deadline& until);
    [[nodiscard]] bool fill_transaction();
    [[nodiscard]] bool settle_locally(const send_window::transmission& each);
    void wait_for_reports(const net::deadline& until);
    void note_all(const std::vector<report>& reports);
    void note(const report& of);
    void committed();
    void aborted();
    /// @throws outage when the client can do no more
    void require(const step_result& result);
    void drop_client();

    std::shared_ptr<const cluster> at_;
    net::haste haste_;
    kafka_publisher plain_;  ///< for producers without a name, and for probing
    send_window window_;
    delivery_reports reports_;  ///< of `client_`
    std::unique_ptr<client> client_;
    topics topics_;
    bool has_id_ = false;
    producer owner_;                  ///< whose the client is
    std::uint64_t fenced_epoch_ = 0;  ///< an owner of this or an older epoch makes no client any more
    std::string fenced_name_;
    std::optional<fence_state> rival_;

    stage stage_ = stage::none;
    std::map<send_window::ticket, std::string> waits_for_report_;  ///< with the name of the topic
    std::map<send_window::ticket, std::string> receipts_;
    std::optional<rd_kafka_resp_err_t> failure_;  ///< the first that a report told of
};

}  // namespace sluice::broker::kafka
