#pragma once

#include <string>
#include <vector>

#include <sluice/registry.hpp>

namespace sluice::detail {

/// Adds a problem when `event` is not declared.
/// @param what  who names it: event handler `bank.bookkeeper`
/// @param event  C++ name
void require_declared(std::vector<std::string>& problems, const registry& domain, const std::string& what,
                      const std::string& event);

}  // namespace sluice::detail
