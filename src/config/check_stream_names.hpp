#pragma once

#include <vector>

#include "config/check.hpp"

namespace sluice::config {

/// Two streams that lie in one place at a broker (errors): Kafka's topic `shop.order` is that of `shop::order` and of
/// `shop.order`, so readers of the one get the messages of the other. Known are the streams that aggregates, commands,
/// process managers and lanes publish to, and those that subscribers read.
void check_stream_names(const detail::registry& domain, const configuration& with, std::vector<finding>& found);

}  // namespace sluice::config
