#pragma once

#include <string>

namespace sluice::broker {

/// Something about a broker's own settings that can lose what it has confirmed, or that could not be found out.
struct hazard {
    std::string code;     ///< stable word: `REDIS_EVICTS`
    std::string message;  ///< one line
    std::string remedy;
};

}  // namespace sluice::broker
