#include "config/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::config {
namespace {

std::optional<std::string> home(const std::string& name) {
    if (name == "HOME") return "/root";
    if (name == "EMPTY") return "";
    return std::nullopt;
}

std::string expanded(const std::string& text) {
    node root{.value = text};
    std::vector<problem> found;
    substitute(root, home, found);
    EXPECT_TRUE(found.empty());
    return std::get<std::string>(root.value);
}

TEST(substitution, replaces_variables_wherever_they_stand) {
    EXPECT_EQ(expanded("plain"), "plain");
    EXPECT_EQ(expanded("${HOME}/a/${HOME}"), "/root/a//root");
    EXPECT_EQ(expanded("${NOPE|x.db}"), "x.db");
    EXPECT_EQ(expanded("${NOPE|}"), "");
    EXPECT_EQ(expanded("${HOME|x}"), "/root");
}

TEST(substitution, a_set_variable_counts_even_when_it_is_empty) { EXPECT_EQ(expanded("a${EMPTY|x}b"), "ab"); }

TEST(substitution, a_doubled_dollar_keeps_the_braces) {
    EXPECT_EQ(expanded("$${HOME}"), "${HOME}");
    EXPECT_EQ(expanded("$$"), "$$");
    EXPECT_EQ(expanded("cost: $5"), "cost: $5");
}

TEST(substitution, values_are_not_substituted_again) {
    node root{.value = std::string{"${A}"}};
    std::vector<problem> found;
    substitute(
        root, [](const std::string&) { return std::optional<std::string>{"${B}"}; }, found);
    EXPECT_EQ(std::get<std::string>(root.value), "${B}");
    EXPECT_TRUE(root.substituted);
}

TEST(read_toml, remembers_the_lines_of_keys_and_elements) {
    const node root = read_toml("[a]\nb = 1\nc = [\n  \"x\",\n  \"y\"]\n", "f");
    const node* a = root.find("a");
    ASSERT_NE(a, nullptr);
    EXPECT_EQ(a->line, 1);
    EXPECT_EQ(a->find("b")->line, 2);
    const auto& elements = std::get<node::array>(a->find("c")->value);
    EXPECT_EQ(elements.at(0).line, 4);
    EXPECT_EQ(elements.at(1).line, 5);
}

TEST(join_key, quotes_what_toml_would_quote) {
    EXPECT_EQ(join_key("", "outbox"), "outbox");
    EXPECT_EQ(join_key("outbox", "retry"), "outbox.retry");
    EXPECT_EQ(join_key("brokers", "a b"), "brokers.\"a b\"");
}

}  // namespace
}  // namespace sluice::config
