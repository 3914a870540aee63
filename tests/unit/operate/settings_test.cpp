#include "operate/settings.hpp"

#include <gtest/gtest.h>

#include <variant>

namespace sluice::operate {
namespace {

json::value shown(config::effective_setting setting) {
    const settings_view view{.file = "domain.toml", .environment = {}, .settings = {std::move(setting)}};
    return to_json(view).at("settings").at(0);
}

TEST(settings_to_json, a_value_has_its_kind_and_its_origin) {
    EXPECT_EQ(json::dump(shown({.section = "outbox.retry",
                                .key = "max_attempts",
                                .value = std::int64_t{5},
                                .from = config::origin::file,
                                .line = 12,
                                .variables = {{"TRIES", true}}})),
              R"({"section":"outbox.retry","key":"max_attempts","value":5,"masked":false,"file":null,)"
              R"("origin":"file","line":12,"profile":null,"inherited_from":null,)"
              R"("variables":[{"name":"TRIES","set":true}]})");
    EXPECT_EQ(json::dump(shown({.key = "k", .value = std::vector<std::string>{"a", "b"}}).at("value")), R"(["a","b"])");
    EXPECT_TRUE(shown({.key = "k", .value = true}).at("value").as_bool());
    EXPECT_TRUE(shown({.key = "k", .value = std::monostate{}}).at("value").is_null());
    EXPECT_TRUE(shown({.key = "k"}).at("line").is_null()) << "the file does not set it";
}

TEST(settings_to_json, names_the_overlay) {
    EXPECT_EQ(json::dump(to_json(settings_view{.file = "domain.toml", .environment = "production", .settings = {}})),
              R"({"configuration":"domain.toml","environment":"production","settings":[]})");
}

}  // namespace
}  // namespace sluice::operate
