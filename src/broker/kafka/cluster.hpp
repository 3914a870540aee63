#pragma once

#include "broker/kafka/endpoint.hpp"
#include "broker/kafka/kafka_broker.hpp"

namespace sluice::broker::kafka {

/// One configured cluster. Immutable.
struct cluster {
    kafka_options options;
    endpoint location;
};

}  // namespace sluice::broker::kafka
