#include "cli/terminal/command_line.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "cli/commands/workspace.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/failure.hpp"

namespace sluice::cli {
namespace {

class no_host final : public operate::host {
public:
    [[nodiscard]] bool loads_domains() const override { return false; }
    [[nodiscard]] std::unique_ptr<domain> load_domain(const std::string& /*which*/) const override { return nullptr; }
    [[nodiscard]] config::providers providers() const override { return {}; }
    [[nodiscard]] commit::adapters make_adapters(const config::configuration& /*configuration*/) const override {
        return {};
    }
};

struct crate_arguments {
    std::string name;
    std::string color = "brown";
    std::optional<std::string> label;
    std::optional<int> weight;
    int copies = 1;
    std::size_t limit = 100;
};

exit_code pack(const session& /*in*/, const crate_arguments& given) {
    return given.name == "full" ? exit_code::failed : exit_code::ok;
}

int count(const session& /*in*/) { return 42; }

/// `depot crate pack NAME` with options, and `depot count`.
class a_command_line : public testing::Test {
protected:
    a_command_line() {
        command root = line.root();
        root.flag("--json", json, "");
        command crate = root.add("crate", "");
        crate.add("pack", "")
            .argument("NAME", given->name, "")
            .option("--color", "COLOR", given->color, "", "SLUICE_TEST_COLOR")
            .option("--label", "TEXT", given->label, "")
            .number("--weight", given->weight, {-5, 5}, "")
            .number("--copies", "N", given->copies, {1, 3}, "")
            .limit(given->limit)
            .runs(pack, given);
        root.add("count", "").runs(count);
    }

    int run(std::vector<const char*> words) {
        words.insert(words.begin(), "depot");
        return line.parse(static_cast<int>(words.size()), words.data())(in);
    }

    std::string refusal(const std::vector<const char*>& words) {
        try {
            run(words);
        } catch (const failure& e) {
            EXPECT_EQ(e.how(), exit_code::usage);
            return e.what();
        }
        return "none";
    }

    const no_host host;
    session in{.site = {.program = host}, .out = {}};
    bool json = false;
    std::shared_ptr<crate_arguments> given = std::make_shared<crate_arguments>();
    command_line line{{.name = "depot", .purpose = "", .version = "", .footer = ""}};
};

TEST_F(a_command_line, runs_the_command_that_is_asked_for) { EXPECT_EQ(run({"count"}), 42); }

TEST_F(a_command_line, gives_the_command_what_the_user_gave) {
    EXPECT_EQ(run({"crate", "pack", "full", "--color", "red", "--label", "", "--weight", "-5", "--copies", "3",
                   "--limit", "7"}),
              static_cast<int>(exit_code::failed));
    EXPECT_EQ(given->color, "red");
    EXPECT_EQ(given->label, "");
    EXPECT_EQ(given->weight, -5);
    EXPECT_EQ(given->copies, 3);
    EXPECT_EQ(given->limit, 7u);
}

TEST_F(a_command_line, leaves_alone_what_the_user_did_not_give) {
    EXPECT_EQ(run({"crate", "pack", "empty"}), static_cast<int>(exit_code::ok));
    EXPECT_EQ(given->color, "brown");
    EXPECT_FALSE(given->label);
    EXPECT_FALSE(given->weight);
    EXPECT_EQ(given->copies, 1);
    EXPECT_EQ(given->limit, 100u);
}

TEST_F(a_command_line, reads_the_variable_of_an_absent_option) {
    ASSERT_EQ(setenv("SLUICE_TEST_COLOR", "green", 1), 0);
    run({"crate", "pack", "empty"});
    ASSERT_EQ(unsetenv("SLUICE_TEST_COLOR"), 0);
    EXPECT_EQ(given->color, "green");
}

TEST_F(a_command_line, may_run_alone_beside_the_commands_below_it) {
    const auto seen = std::make_shared<std::vector<std::string>>();
    command gate = line.root().add("gate", "");
    gate.option("--lane", "NAME", *seen, "");
    gate.add("open", "").runs(+[](const session& /*in*/) { return 7; });
    gate.may_run_alone().runs(
        +[](const session& /*in*/, const std::vector<std::string>& lanes) { return static_cast<int>(lanes.size()); },
        seen);
    EXPECT_EQ(run({"gate", "open"}), 7);
    EXPECT_EQ(run({"gate", "--lane", "a", "--lane", "b"}), 2);
}

TEST_F(a_command_line, wants_one_of_the_commands_below_a_command) {
    EXPECT_EQ(refusal({"crate"}), "A subcommand is required\nTry `depot crate --help`");
    EXPECT_EQ(refusal({}), "A subcommand is required\nTry `depot --help`");
}

TEST_F(a_command_line, wants_its_arguments) {
    EXPECT_EQ(refusal({"crate", "pack"}), "NAME is required\nTry `depot crate pack --help`");
}

TEST_F(a_command_line, keeps_numbers_within_their_limits) {
    const auto first_line = [](const std::string& text) { return text.substr(0, text.find('\n')); };
    const auto pack_with = [&](const char* option, const char* value) {
        return first_line(refusal({"crate", "pack", "empty", option, value}));
    };
    EXPECT_EQ(pack_with("--weight", "6"), "--weight: Value 6 not in range -5 to 5");
    EXPECT_EQ(pack_with("--copies", "0"), "--copies: must be >= 1");
    EXPECT_EQ(pack_with("--copies", "4"), "--copies: must be <= 3");
    EXPECT_EQ(pack_with("--copies", "many"), "--copies: must be a whole number");
    EXPECT_EQ(pack_with("--limit", "100001"), "--limit: Value 100001 not in range 1 to 100000");
}

TEST_F(a_command_line, has_read_the_flags_when_it_refuses_the_rest) {
    const char* const words[] = {"depot", "crate", "pack", "empty", "--nope", "--json"};
    const action refused = line.parse(static_cast<int>(std::size(words)), words);
    EXPECT_TRUE(json);
    EXPECT_THROW(refused(in), failure);
}

}  // namespace
}  // namespace sluice::cli
