#pragma once

#include <string>
#include <string_view>

#include <sluice/registry.hpp>

#include "config/configuration.hpp"

namespace sluice::config {

/// True when the whole text fits the pattern, in which `*` stands for any characters, also for none.
[[nodiscard]] bool fits(std::string_view pattern, std::string_view text) noexcept;

/// True when the pattern of `events` means the event: by its name, `OrderShipped`, or its type without the version,
/// `Shop.OrderShipped`.
[[nodiscard]] bool means_event(std::string_view pattern, const detail::event_entry& event);
/// True when the pattern of `aggregates` means the aggregate: by its name, `Order`, or its category, `shop::order`.
[[nodiscard]] bool means_aggregate(std::string_view pattern, const detail::aggregate_entry& aggregate) noexcept;

/// True when the lane gets the published event: it fits one of `events` and one of `aggregates`, where these are given.
[[nodiscard]] bool wants(const lane_options& lane, const detail::event_entry& event,
                         const detail::aggregate_entry& aggregate);

}  // namespace sluice::config
