#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "broker/rabbitmq/link.hpp"
#include "broker/rabbitmq/open_deliveries.hpp"
#include "broker/reader.hpp"

namespace sluice::broker::rabbitmq {

/// A member of a group: one consumer on the queue of each stream, over one connection.
///
/// The entries that it hands out name the connection that they came over. What came over a former one comes again, and
/// what is said of the old copy is passed over.
class rabbitmq_reader final : public reader {
public:
    rabbitmq_reader(std::shared_ptr<server> at, const std::vector<std::string>& streams, membership member);
    rabbitmq_reader(const rabbitmq_reader&) = delete;
    rabbitmq_reader& operator=(const rabbitmq_reader&) = delete;
    ~rabbitmq_reader() override;

    [[nodiscard]] std::vector<delivery> read(std::size_t stream, std::size_t limit, date_time now) override;
    [[nodiscard]] base::wake_reason wait(base::wake_signal& signal, duration timeout) override;
    void heartbeat(date_time now) override;
    void release() override;
    void ack(std::size_t stream, std::span<const std::string> entries) override;
    [[nodiscard]] keeper* own_keeper() noexcept override { return nullptr; }

private:
    struct place {
        std::string stream;
        std::string queue;
        std::deque<delivery> arrived{};  ///< and not handed out
    };

    [[nodiscard]] connection& open();
    void subscribe(connection& over, const net::deadline& until);
    void refuse_to_leave_former_group();
    void absorb(connection& from);
    void take(event& said);
    void look_after_queues(connection& over);
    void forget();
    void lose(const outage& trouble);
    [[nodiscard]] bool has_news() const noexcept;
    [[nodiscard]] base::wake_reason listen(connection& on, base::wake_signal& signal, const net::deadline& end);

    link link_;
    membership member_;
    std::vector<place> places_;
    open_deliveries open_;
    std::uint64_t generation_ = 0;  ///< of the connection
    std::chrono::steady_clock::time_point looked_{};
    bool is_settled_in_ = false;  ///< the former group has been asked for
};

}  // namespace sluice::broker::rabbitmq
