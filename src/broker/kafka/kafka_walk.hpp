#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/kafka/client.hpp"
#include "broker/kafka/cluster.hpp"
#include "broker/kafka/group_places.hpp"
#include "broker/stream_walk.hpp"

namespace sluice::broker::kafka {

/// Walks through the partitions of a topic, one after the other, by the library's consumer that has no group. It reads
/// what is committed: neither what a transaction has given up nor what one has not ended. A topic that is not there has
/// no entries, and none is made.
class kafka_walk final : public stream_walk {
public:
    /// @param haste  must outlive it
    kafka_walk(std::shared_ptr<const cluster> at, const net::haste& haste, std::string_view stream,
               std::optional<date_time> from);
    kafka_walk(const kafka_walk&) = delete;
    kafka_walk& operator=(const kafka_walk&) = delete;
    ~kafka_walk() override;

    [[nodiscard]] std::vector<walked_entry> next(std::size_t limit) override;
    /// What stands before the first offset of its partition.
    [[nodiscard]] bool has_expired(std::string_view receipt, date_time confirmed_at) override;

private:
    template <class Action>
    auto named(Action action);
    [[nodiscard]] net::deadline answer_deadline() const { return net::deadline{at_->options.answer_timeout, &haste_}; }
    [[nodiscard]] std::int32_t count_partitions();
    /// True when there is something to read in the partition.
    [[nodiscard]] bool open_partition(std::optional<date_time> from);
    void close_partition() noexcept;
    /// What comes next in the open partition; null at its end.
    [[nodiscard]] message_handle fetch();
    [[nodiscard]] message_handle wait_for_message(const net::deadline& until);

    std::shared_ptr<const cluster> at_;
    const net::haste& haste_;
    std::optional<date_time> from_;
    client client_;
    topic_handle topic_{};
    queue_handle queue_{};
    std::int32_t partitions_ = 0;
    std::int32_t partition_ = 0;  ///< the one that is read, or is read next
    bool is_open_ = false;
    std::int64_t end_ = 0;  ///< behind the last offset of the open partition
    std::map<std::int32_t, std::int64_t> first_kept_{};
};

}  // namespace sluice::broker::kafka
