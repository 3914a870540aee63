#pragma once

#include <optional>
#include <string>

#include <sluice/time.hpp>

namespace sluice::commit {

/// On what terms a submitted command is handled; they travel in its headers.
struct command_terms {
    std::optional<std::string> idempotency_key{};
    std::optional<date_time> deadline{};
    bool at_once = false;  ///< handled already when it is written down: for the record, and for no broker
};

}  // namespace sluice::commit
