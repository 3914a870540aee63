#pragma once

#include <memory>

#include "broker/kafka/kafka_broker.hpp"

namespace sluice::broker::contract {

/// Kafka for tests that look once. A group needs a moment to share its partitions out, messages come a moment after
/// they are asked for, and what is acknowledged is committed a moment later. How long these moments are depends on the
/// machine: so a reader reads, and operations look, until the cluster itself says that nothing more will come.
///
/// Each stream has one partition.
[[nodiscard]] std::unique_ptr<broker> make_settling_kafka(const kafka_options& options);

}  // namespace sluice::broker::contract
