#pragma once

#include <string>
#include <vector>

#include "cli/terminal/command_outline.hpp"

namespace sluice::cli {

/// What manual pages say beside the definitions.
struct manual_terms {
    std::string version;     ///< `sluice 0.1.0`
    std::string date;        ///< `2026-11-23`
    std::string exit_codes;  ///< what the numbers mean, several lines
};

struct manual_page {
    std::string name;  ///< `sluice-outbox`; its file is NAME.1
    std::string text;  ///< roff, with the macros of man(7)
};

/// A page for the program and one for each of its commands, which has those below it, too. Pure.
[[nodiscard]] std::vector<manual_page> manual_pages(const command_outline& program, const manual_terms& terms);

}  // namespace sluice::cli
