#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include "operate/installation.hpp"
#include "operate/named_fault.hpp"
#include "store/delivery_audit.hpp"

namespace sluice::operate {

/// What a broker itself has of what the ledger says it has confirmed.
struct asked_broker {
    std::string cannot_be_asked{};  ///< why; empty: it was asked
    store::delivery_sum sum{};
    std::vector<named_fault> faults{};

    /// What was not asked proves nothing, and is no fault.
    [[nodiscard]] bool closes() const noexcept { return sum.closes(); }
};

/// Which part of the log an audit is about.
struct audited_part {
    store::sequence after = 0;
    std::optional<date_time> since{};  ///< nothing in it was created before; none: it is the whole
};

/// Walks once through each stream that the broker's lane sends to, as the configuration says now, and compares. What is
/// confirmed meanwhile is not part of it.
/// @throws store_error, broker_error
[[nodiscard]] asked_broker ask_broker(const installation& with, store::operations_session& in,
                                      const std::string& broker, const audited_part& part);

[[nodiscard]] json::value to_json(const asked_broker& asked);

}  // namespace sluice::operate
