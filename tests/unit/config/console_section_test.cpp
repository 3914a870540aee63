#include "config/console_section.hpp"

#include <gmock/gmock.h>

#include "app/compose.hpp"
#include "config/loader.hpp"

namespace sluice::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

explained_configuration read(const std::string& console) {
    return explain_text(
        "[databases.default]\nprovider = \"memory\"\n[brokers.default]\nprovider = \"inline\"\n" + console,
        "domain.toml", app::available_providers(),
        [](const std::string& /*name*/) -> std::optional<std::string> { return std::nullopt; });
}

std::string complaint_about(const std::string& console) {
    try {
        static_cast<void>(read(console));
    } catch (const invalid_configuration& e) {
        return e.what();
    }
    return {};
}

TEST(console_section, is_open_on_this_machine_and_knows_nobody_without_one) {
    const console_settings settings = read("").console;
    EXPECT_EQ(settings.host, "127.0.0.1");
    EXPECT_FALSE(settings.has_authentication());
    EXPECT_FALSE(settings.send_commands);
}

TEST(console_section, reads_a_certificate_and_its_key_and_never_one_without_the_other) {
    const auto with = read("[console]\ntls_certificate_file = \"tls/a.pem\"\ntls_key_file = \"/b.key\"\n").values;
    EXPECT_TRUE(with.console_tls.is_on());
    EXPECT_THAT(with.console_tls.certificate_file, ::testing::EndsWith("/tls/a.pem"));
    EXPECT_EQ(with.console_tls.key_file, "/b.key");
    EXPECT_FALSE(read("").values.console_tls.is_on());
    EXPECT_THAT(complaint_about("[console]\ntls_key_file = \"b.key\"\n"),
                HasSubstr("console.tls_key_file = \"b.key\": is set without tls_certificate_file; set both, or none"));
    EXPECT_THAT(complaint_about("[console]\ntls_certificate_file = \"a.pem\"\n"),
                HasSubstr("console.tls_certificate_file = \"a.pem\": is set without tls_key_file"));
}

TEST(console_section, reads_people_programs_and_proxies) {
    const console_settings settings = read(R"(
[console]
hosts = ["console.example"]
[console.users]
anna = { role = "operator", password = "$y$j9T$salt$hash" }
"ben@example.com" = { password = "$y$j9T$salt$hash" }
[console.tokens.ci]
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
[console.proxy]
addresses = ["10.0.0.5"]
header = "X-User"
viewers = ["*"]
[console.redact]
payloads = "nobody"
fields = ["email"]
)")
                                          .console;
    EXPECT_EQ(settings.users.at("anna").role, console_role::operating);
    EXPECT_EQ(settings.users.at("ben@example.com").role, console_role::viewer);
    EXPECT_EQ(settings.tokens.size(), 1U);
    EXPECT_EQ(settings.proxy.header, "x-user");
    EXPECT_FALSE(settings.redact.payloads.has_value());
}

TEST(console_section, names_what_is_wrong_and_never_the_secret) {
    const std::string plain = complaint_about("[console.users]\nanna = { password = \"hunter2\" }\n");
    EXPECT_THAT(plain, HasSubstr("sluice console password anna"));
    EXPECT_THAT(plain, Not(HasSubstr("hunter2")));
    EXPECT_THAT(complaint_about("[console.users]\nanna = { role = \"operator\" }\n"), HasSubstr("is missing"));
    EXPECT_THAT(complaint_about("[console.users]\nanna = { role = \"admin\", password = \"$y$x\" }\n"),
                HasSubstr("operator"));
    EXPECT_THAT(complaint_about("[console.tokens]\nci = { sha256 = \"secret-token\" }\n"),
                Not(HasSubstr("secret-token")));
    EXPECT_THAT(complaint_about("[console.proxy]\nviewers = [\"*\"]\n"), HasSubstr("no proxy is trusted"));
    EXPECT_THAT(complaint_about("[console.proxy]\naddresses = [\"10.0.0.5\"]\n"), HasSubstr("may do nothing"));
    EXPECT_THAT(complaint_about("[console]\nprot = 1\n"), HasSubstr("did you mean \"port\"?"));
}

TEST(console_section, hashes_are_no_effective_settings) {
    for (const effective_setting& each :
         read("[console.users]\nanna = { password = \"$y$j9T$salt$hash\" }\n").settings) {
        if (each.path() != "console.users.anna.password") continue;
        EXPECT_TRUE(each.masked);
        EXPECT_EQ(std::get<std::string>(each.value).find("salt"), std::string::npos);
        return;
    }
    FAIL() << "the key is not shown";
}

}  // namespace
}  // namespace sluice::config
