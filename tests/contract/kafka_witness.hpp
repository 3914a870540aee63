#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/kafka/client.hpp"
#include "broker/kafka/kafka_broker.hpp"

namespace sluice::broker::contract {

/// Asks the cluster how far its groups are, so that a test need not wait and hope.
///
/// Thread safety: one thread uses it.
class kafka_witness {
public:
    /// A group as its coordinator sees it.
    struct seen_group {
        bool is_stable = false;                        ///< nobody is being asked to join, and everybody has its share
        std::set<std::string> members{};               ///< their client ids
        std::map<std::string, std::string> holders{};  ///< of the first partition of topics: client ids
    };
    /// How far a group is in a topic of one partition.
    struct place {
        std::int64_t floor = 0;            ///< everything below it is settled
        std::set<std::int64_t> settled{};  ///< behind the floor
        std::int64_t end = 0;              ///< behind the last message

        [[nodiscard]] bool is_settled(std::int64_t offset) const { return offset < floor || settled.contains(offset); }
        /// Messages that are not settled, whoever has them.
        [[nodiscard]] std::int64_t open() const { return end - floor - static_cast<std::int64_t>(settled.size()); }
    };

    explicit kafka_witness(const kafka_options& options);

    /// @throws net::outage
    [[nodiscard]] seen_group look_at(const std::string& group);
    /// Nothing when the group has no place there. @throws net::outage
    [[nodiscard]] std::optional<place> place_of(const std::string& group, const std::string& stream);
    [[nodiscard]] std::string topic_of(const std::string& stream) const;

private:
    std::string prefix_;
    kafka::client client_;
};

}  // namespace sluice::broker::contract
