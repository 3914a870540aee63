#pragma once

#include <sluice/domain.hpp>

namespace bank {

/// A ledger: event-sourced accounts, transfers that a process carries from one to the other, statements to read.
[[nodiscard]] sluice::domain make_domain();

}  // namespace bank
