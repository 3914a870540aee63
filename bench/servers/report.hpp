#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::bench {

/// What PERFORMANCE asks of a measure.
struct bound {
    double floor = 0;
    std::optional<double> aim{};
    bool upper = false;  ///< the value must not be larger, instead of smaller
    int digits = 2;
};

void print_section(std::string_view title, std::string_view limit, std::string_view subject);
/// One line: what was measured, the limit it is held against, Sluice, and the value that counts with its bounds.
void print_line(std::string_view measure, std::string_view limit, std::string_view subject, double value,
                const bound& within);
/// A line that is there to be compared with others.
void print_note(std::string_view measure, std::string_view limit, std::string_view subject, double value);

[[nodiscard]] std::string rate_text(double per_second);

}  // namespace sluice::bench
