#pragma once

#include <string>
#include <string_view>

namespace sluice::broker {

/// The name of a stream at brokers that take no colons: `shop::order` is `shop.order`, and `shop::order:backfill` is
/// `shop.order-backfill`. All else stays as it is. Two streams may get one name: `sluice check` says so.
[[nodiscard]] inline std::string partner_name(std::string_view stream) {
    std::string name;
    name.reserve(stream.size());
    for (std::size_t i = 0; i < stream.size(); ++i) {
        if (stream[i] != ':') {
            name += stream[i];
        } else if (i + 1 < stream.size() && stream[i + 1] == ':') {
            name += '.';
            ++i;
        } else {
            name += '-';
        }
    }
    return name;
}

}  // namespace sluice::broker
