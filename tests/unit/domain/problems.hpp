#pragma once

#include <string>

#include <sluice/domain.hpp>
#include <sluice/error.hpp>

namespace sluice::testing {

/// What is wrong with a declaration, all of it; empty when nothing is.
[[nodiscard]] inline std::string problems_of(const domain& declared) {
    try {
        declared.validate();
    } catch (const configuration_error& e) {
        return e.what();
    }
    return {};
}

}  // namespace sluice::testing
