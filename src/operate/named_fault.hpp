#pragma once

#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "store/operations.hpp"

namespace sluice::operate {

/// What does not add up, with the event that it is about.
struct named_fault {
    store::audit_fault fault;
    std::string message_id{};  ///< empty: the log has no such event
    std::string stream{};
    std::string type{};
};

/// @throws store_error
[[nodiscard]] std::vector<named_fault> name_faults(store::operations_session& in,
                                                   const std::vector<store::audit_fault>& faults);

[[nodiscard]] json::value to_json(const std::vector<named_fault>& faults);

}  // namespace sluice::operate
