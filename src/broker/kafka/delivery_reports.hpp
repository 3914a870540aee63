#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "broker/kafka/client.hpp"

namespace sluice::broker::kafka {

/// What the library says of one message.
struct report {
    std::uint64_t ticket = 0;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
};

/// Has a producer send, and keeps what it reports until somebody reads it.
///
/// What is handed over one after the other shall go in few requests, and what is handed over alone shall not wait for
/// others. So a producer lingers (`linger.ms`) while it is handed messages, until `flush` tells that these are all.
/// Without lingering the first messages leave in small requests while the next ones are handed over.
///
/// Thread safety: used by one thread at a time. It must outlive the producer.
class delivery_reports {
public:
    delivery_reports() = default;
    delivery_reports(const delivery_reports&) = delete;
    delivery_reports& operator=(const delivery_reports&) = delete;

    /// The producer that is made with `conf` reports here.
    void collect_from(rd_kafka_conf_t* conf);
    /// When to come back, the time permitting.
    enum class wait_for { first, all };

    /// Has all that was handed over sent at once, and returns what was reported: when something was, or nothing is on
    /// its way any more. Errors of the producer are noted in it.
    [[nodiscard]] std::vector<report> flush(client& by, wait_for what, const net::deadline& until);
    /// What was reported by now, without waiting.
    [[nodiscard]] std::vector<report> read(client& by);

private:
    [[nodiscard]] std::vector<report> take(client& by);
    static void note_report(rd_kafka_t* instance, const rd_kafka_message_t* message, void* self);
    static void note_error(rd_kafka_t* instance, int code, const char* text, void* self);

    bool interrupts_ = false;  ///< the next report ends the flush
    std::vector<report> reports_;
    std::vector<std::pair<rd_kafka_resp_err_t, std::string>> errors_;
};

}  // namespace sluice::broker::kafka
