#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <fmt/format.h>

/// Measuring on a machine that does other things besides: what is compared is measured by turns, and the medians count.
namespace sluice::testing {

/// SLUICE_STRICT_TIMING=1: measure for longer, and hold Sluice to the figures of the documentation.
[[nodiscard]] inline bool strict_timing() { return std::getenv("SLUICE_STRICT_TIMING") != nullptr; }

/// A size that an environment variable raises to what the documentation is about.
[[nodiscard]] inline std::size_t size_from(const char* variable, std::size_t otherwise) {
    const char* const text = std::getenv(variable);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// @param share  0.5: the median; 0.99: what one in a hundred exceeds
[[nodiscard]] inline double quantile(std::vector<double> values, double share) {
    if (values.empty()) return 0;
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
    std::nth_element(values.begin(), at, values.end());
    return *at;
}
[[nodiscard]] inline double median(const std::vector<double>& values) { return quantile(values, 0.5); }

template <class... Values>
void print_figure(std::string_view format, const Values&... values) {
    const auto line = fmt::vformat(format, fmt::make_format_args(values...));
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

/// One figure, measured by turns without and with the trouble. Neighbours are compared, so that it does not matter what
/// the machine does besides, as long as it does not change from one moment to the next.
struct figure_pairs {
    std::vector<double> without{};
    std::vector<double> with{};

    /// The median of the ratios.
    [[nodiscard]] double ratio() const {
        std::vector<double> ratios;
        for (std::size_t i = 0; i < std::min(without.size(), with.size()); ++i) ratios.push_back(with[i] / without[i]);
        return median(ratios);
    }
    /// A strict run asks for 5 %. Others run beside compilers and other tests: there only what is really held up by the
    /// trouble, and so takes many times as long, is told from noise.
    [[nodiscard]] bool unchanged(double slack = 0) const {
        if (strict_timing()) return ratio() <= 1.05;
        return ratio() <= 3 || median(with) <= median(without) + slack;
    }
    /// @param slack  seconds that do not count
    void expect_unchanged(std::string_view what, double slack = 0) const {
        print_figure("{}: {:.3f} ms without, {:.3f} ms with, ratio {:.3f}", what, median(without) * 1e3,
                     median(with) * 1e3, ratio());
        EXPECT_TRUE(unchanged(slack)) << what;
    }
};

/// Measures both by turns, and for longer while the figures do not agree; a strict run is to be believed at once.
template <class Without, class With, class Agree>
void measure_by_turns(int rounds, Without without, With with, Agree figures_agree) {
    const int most = strict_timing() ? rounds : 4 * rounds;
    for (int round = 0; round < rounds || (round < most && !figures_agree()); ++round) {
        if (round % 2 == 0) without();
        with();
        if (round % 2 != 0) without();
        if (::testing::Test::HasFatalFailure()) return;
    }
}

}  // namespace sluice::testing
