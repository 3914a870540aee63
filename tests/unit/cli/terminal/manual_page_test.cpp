#include "cli/terminal/manual_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace sluice::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const manual_terms terms{.version = "sluice 1.2.3", .date = "2026-11-23", .exit_codes = "0 done, 1 not"};

command_outline depot() {
    return {
        .name = "depot",
        .purpose = "Keeps crates.",
        .options = {{.names = {"--config"}, .placeholder = "FILE", .purpose = "Where", .variable = "DEPOT"},
                    {.names = {"-h", "--help"}, .purpose = "Help"}},
        .arguments = {},
        .commands = {{.name = "pack",
                      .purpose = "Pack",
                      .options = {{.names = {"--as"}, .placeholder = "NAME", .purpose = "a \\ or .dot 'quote"}},
                      .arguments = {{.names = {"CRATE"}, .placeholder = "TEXT", .purpose = "Which", .required = true},
                                    {.names = {"MORE"}, .placeholder = "TEXT", .purpose = "Others"}},
                      .commands = {}}}};
}

TEST(manual_pages, are_one_for_the_program_and_one_for_each_command) {
    const auto pages = manual_pages(depot(), terms);
    ASSERT_EQ(pages.size(), 2U);
    EXPECT_EQ(pages[0].name, "depot");
    EXPECT_EQ(pages[1].name, "depot-pack");
    EXPECT_THAT(pages[0].text,
                AllOf(HasSubstr(".TH DEPOT 1 2026-11-23 \"sluice 1.2.3\" \"User commands\"\n"),
                      HasSubstr("depot \\- Keeps crates\n"), HasSubstr("\\fB\\-\\-config\\fR=\\fIFILE\\fR\n"),
                      HasSubstr("(environment variable \\fBDEPOT\\fR)"), HasSubstr(".BR depot\\-pack (1)\n"),
                      HasSubstr(".SH EXIT STATUS\n0 done, 1 not\n")));
}

TEST(manual_pages, show_arguments_that_must_and_that_may_be_there) {
    EXPECT_THAT(manual_pages(depot(), terms)[1].text,
                HasSubstr("\\fBdepot pack\\fR [\\fIOPTION\\fR]... \\fICRATE\\fR [\\fIMORE\\fR]\n"));
}

TEST(manual_pages, hide_what_roff_would_take_for_its_own) {
    EXPECT_THAT(manual_pages(depot(), terms)[1].text, HasSubstr("a \\e or \\&.dot \\&'quote\n"));
}

TEST(manual_pages, break_long_lines_at_blanks) {
    command_outline wordy = depot();
    wordy.purpose = "Keeps";
    for (int i = 0; i < 40; ++i) wordy.purpose += " crates";
    std::istringstream lines{manual_pages(wordy, terms)[0].text};
    std::size_t longest = 0;
    for (std::string line; std::getline(lines, line);) longest = std::max(longest, line.size());
    EXPECT_LE(longest, 80U);
}

}  // namespace
}  // namespace sluice::cli
