#include "cli/terminal/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What the shells make of the scripts is tried in the shells themselves (tests/tooling/completion_test.sh).
const command_outline depot{
    .name = "depot-2",
    .purpose = "Keeps crates",
    .options = {{.names = {"--config"}, .placeholder = "FILE", .purpose = "Where to look"}, {.names = {"--json"}}},
    .commands = {{.name = "crate",
                  .purpose = "The crate's own: all of it",
                  .commands = {{.name = "pack",
                                .purpose = "Pack",
                                .options = {{.names = {"-y", "--yes"}, .purpose = "Don't ask"},
                                            {.names = {"--weight"}, .placeholder = "N", .purpose = "In kg"}}}}}}};

TEST(bash_completion, knows_the_options_of_a_command_and_of_those_above_it) {
    EXPECT_THAT(bash_completion(depot),
                AllOf(HasSubstr("'depot-2') commands='crate' options='--config --json' ;;"),
                      HasSubstr("'depot-2 crate pack') commands='' options='--config --json --weight --yes -y' ;;"),
                      HasSubstr("complete -F _depot_2 depot-2"), HasSubstr("--config) mapfile"),
                      HasSubstr("--weight) return")));
}

TEST(zsh_completion, quotes_what_the_shell_would_take_for_its_own) {
    EXPECT_THAT(zsh_completion(depot), AllOf(HasSubstr("commands=('crate:The crate'\\''s own: all of it')"),
                                             HasSubstr("'--yes:Don'\\''t ask'")));
}

TEST(fish_completion, says_which_options_take_a_file_or_another_value) {
    EXPECT_THAT(fish_completion(depot),
                AllOf(HasSubstr("complete -c depot-2 -n '_depot_2_at \\'depot-2 crate pack\\'' -s y -l yes -f -d "
                                "'Don\\'t ask'"),
                      HasSubstr("-l config -r -F -d 'Where to look'"), HasSubstr("-l weight -x -d 'In kg'"),
                      Not(HasSubstr("'depot-2 crate' -l weight"))));
}

}  // namespace
}  // namespace sluice::cli
