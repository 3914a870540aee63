#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/kafka/client.hpp"
#include "broker/kafka/cluster.hpp"
#include "broker/kafka/delivery_reports.hpp"
#include "broker/kafka/topics.hpp"
#include "broker/publisher.hpp"
#include "broker/send_window.hpp"

namespace sluice::broker::kafka {

/// Sends batches as make_kafka_broker describes: every message by itself, confirmed by itself.
///
/// The library gives a message up when the time for which `publish` was called is over, so that nothing of an owner
/// that was frozen leaves behind the end of its lease. Until it says so the message is on its way, and is waited for.
class kafka_publisher final : public publisher {
public:
    explicit kafka_publisher(std::shared_ptr<const cluster> at);

    [[nodiscard]] std::vector<verdict> publish(std::span<const outgoing> batch, const producer& from,
                                               duration timeout) override;
    [[nodiscard]] std::string probe(duration timeout) override;
    void hurry(duration patience) noexcept override { haste_.hurry(patience); }

private:
    void open(duration message_timeout);
    void learn_topics(std::span<const outgoing> batch, const net::deadline& until);
    void send_all(const net::deadline& until);
    /// False when the client has no room for it now.
    [[nodiscard]] bool send(const send_window::transmission& each);
    void settle_all(const std::vector<report>& reports);
    void settle(const report& of);
    void settle_gone_topics(const net::deadline& until);
    void fail(send_window::ticket number, rd_kafka_resp_err_t code);
    void replace_outdated();
    /// The client is beyond repair: what it had is in doubt, and the next call begins with a new one.
    void replace();
    [[nodiscard]] std::string reason(const std::string& otherwise) const;

    /// A message on its way, by its ticket.
    struct flight {
        const std::string* topic = nullptr;  ///< one of `names_`
        bool alone = false;                  ///< nothing else was on its way
    };
    /// What the topic of a stream is called. It stays where it is.
    [[nodiscard]] const std::string& name_of(std::string_view stream);

    std::shared_ptr<const cluster> at_;
    net::haste haste_;
    send_window window_;
    delivery_reports reports_;  ///< of `client_`
    std::unique_ptr<client> client_;
    topics topics_;
    std::map<std::string, std::string, std::less<>> names_;  ///< of topics, by stream
    std::unordered_map<send_window::ticket, flight> flights_;
    std::map<send_window::ticket, std::string> without_topic_;  ///< failed, because the client knows no such topic
    std::size_t suspects_ = 0;                                  ///< of a batch that was refused: so many go alone
};

}  // namespace sluice::broker::kafka
