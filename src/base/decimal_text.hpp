#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::base {

enum class decimal_problem {
    none,
    malformed,  ///< It is no number.
    too_fine,   ///< It has more digits after the point than there is place for, and they are no zeros.
    too_large   ///< It is beyond the range.
};

struct decimal_reading {
    std::int64_t units = 0;  ///< of the last digit
    decimal_problem problem = decimal_problem::none;
};

enum class excess_digits { refuse, round_half_even };

/// Reads `19.99`, `-5`, `+0.5`, `.5`, `1E+3`: what Python's `str(Decimal)` and JSON write. Exact: no binary fraction is
/// involved.
/// @param digits  after the point
[[nodiscard]] decimal_reading read_decimal(std::string_view text, int digits,
                                           excess_digits excess = excess_digits::refuse);

}  // namespace sluice::base
