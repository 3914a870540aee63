#pragma once

#include <vector>

#include "consume/route.hpp"

namespace sluice::consume {

/// No two routes may read from one queue of a broker: each message would come to one of them only. RabbitMQ's queue
/// `billing.shop.order` is that of group `billing` on `shop::order` and of group `billing.shop` on `order`.
/// @throws configuration_error  naming all that do, with the remedy
void require_own_queues(const config::configuration& with, const std::vector<route>& routes);

}  // namespace sluice::consume
