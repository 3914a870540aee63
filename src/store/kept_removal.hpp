#pragma once

#include <string>

#include "store/read_model_records.hpp"

namespace sluice::store {

/// Whose messages, and from where: a consumer group on one stream of a broker.
struct kept_place {
    std::string broker;  ///< configured name
    std::string stream;
    std::string group;

    friend auto operator<=>(const kept_place&, const kept_place&) = default;
};

/// Names a message that waits.
struct kept_name {
    sequence number = 0;
    std::string key{};
};

/// A kept message that was handled, as part of what its handler commits. One that somebody else has claimed since is
/// left alone.
struct kept_removal {
    kept_place at{};
    std::string owner{};  ///< of the claim
    kept_name name{};
};

}  // namespace sluice::store
