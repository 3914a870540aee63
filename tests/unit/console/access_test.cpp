#include "console/access.hpp"

#include <gtest/gtest.h>

#include <sluice/error.hpp>

#include "base/sha256.hpp"

namespace sluice::console {
namespace {

console_settings with_users() {
    console_settings settings;
    settings.users["anna"] = {.role = console_role::operating, .password_hash = "$y$x"};
    settings.users["ben"] = {.role = console_role::viewer, .password_hash = "$y$x"};
    settings.tokens["ci"] = {.role = console_role::operating, .sha256 = base::sha256_hex("secret")};
    settings.proxy = {.addresses = {"10.0.0.5"}, .operators = {"olga"}, .viewers = {"vera"}};
    return settings;
}

TEST(console_identify, anybody_of_this_machine_may_look_as_long_as_nobody_can_log_in) {
    const request_facts near{.client = "127.0.0.1"};
    EXPECT_EQ(identify({}, true, near)->role, console_role::viewer);
    EXPECT_EQ(identify(with_users(), true, near)->role, console_role::none);
    console_settings settings = with_users();
    settings.anonymous = true;
    EXPECT_EQ(identify(settings, true, near)->role, console_role::viewer);
    settings = {};
    settings.anonymous = false;
    EXPECT_EQ(identify(settings, true, near)->role, console_role::none);
}

TEST(console_identify, nobody_from_elsewhere_may_look_unknown) {
    console_settings open;
    open.anonymous = true;
    EXPECT_EQ(identify(open, false, {.client = "127.0.0.1"})->role, console_role::none);
    EXPECT_EQ(identify(open, true, {.client = "10.0.0.9"})->role, console_role::none);
    EXPECT_EQ(identify(open, true, {.client = "127.0.0.1", .was_forwarded = true})->role, console_role::none)
        << "a proxy on this machine speaks for others";
}

TEST(console_identify, a_token_is_that_of_the_configuration_or_nothing) {
    const auto by = [](std::string_view header) {
        return identify(with_users(), true, {.client = "127.0.0.1", .authorization = header});
    };
    EXPECT_EQ(by("Bearer secret")->name, "ci");
    EXPECT_EQ(by("bearer secret")->role, console_role::operating);
    EXPECT_FALSE(by("Bearer secre").has_value());
    EXPECT_FALSE(by("Bearer ").has_value());
    EXPECT_FALSE(by("Basic secret").has_value());
}

TEST(console_identify, a_proxy_counts_only_from_its_own_address) {
    const auto by = [](std::string_view client, std::string_view user) {
        return *identify(with_users(), false, {.client = client, .proxy_user = user});
    };
    EXPECT_EQ(by("10.0.0.5", "olga").role, console_role::operating);
    EXPECT_EQ(by("::ffff:10.0.0.5", "vera").role, console_role::viewer);
    EXPECT_EQ(by("10.0.0.5", "mallory").role, console_role::none);
    EXPECT_EQ(by("10.0.0.6", "olga").role, console_role::none);
    EXPECT_EQ(by("10.0.0.6", "olga").name, "");
    console_settings all = with_users();
    all.proxy.viewers = {"*"};
    EXPECT_EQ(identify(all, false, {.client = "10.0.0.5", .proxy_user = "mallory"})->role, console_role::viewer);
}

TEST(console_identify, a_session_has_the_role_of_its_user_and_ends_with_the_user) {
    const auto by = [](std::string_view user) {
        return *identify(with_users(), false, {.client = "10.0.0.9", .session = "id", .session_user = user});
    };
    EXPECT_EQ(by("ben").role, console_role::viewer);
    EXPECT_EQ(by("anna").session, "id");
    EXPECT_EQ(by("gone").role, console_role::none);
}

TEST(console_admit, asks_for_the_role_and_for_a_form_of_ours) {
    const principal anna{.name = "anna", .role = console_role::operating, .by = principal::proof::session};
    const principal ben{.name = "ben", .role = console_role::viewer, .by = principal::proof::session};
    const principal tool{.name = "ci", .role = console_role::operating, .by = principal::proof::token};
    const principal nobody;
    EXPECT_EQ(admit(anna, console_role::operating, true, true), admission::granted);
    EXPECT_EQ(admit(anna, console_role::operating, true, false), admission::not_ours);
    EXPECT_EQ(admit(anna, console_role::viewer, false, false), admission::granted);
    EXPECT_EQ(admit(ben, console_role::operating, true, true), admission::too_low);
    EXPECT_EQ(admit(tool, console_role::operating, true, false), admission::granted) << "no browser sends a token";
    EXPECT_EQ(admit(nobody, console_role::viewer, false, false), admission::unknown);
    EXPECT_EQ(admit(nobody, console_role::none, false, false), admission::granted);
    EXPECT_EQ(admit(nobody, console_role::none, true, false), admission::not_ours);
    EXPECT_EQ(admit({.role = console_role::viewer}, console_role::operating, true, true), admission::unknown);
    EXPECT_EQ(admit({.name = "mallory", .by = principal::proof::proxy}, console_role::viewer, false, false),
              admission::too_low);
}

TEST(console_is_safe_at, others_can_reach_it_only_when_they_can_prove_who_they_are) {
    EXPECT_TRUE(is_safe_at({}, "127.0.0.1"));
    EXPECT_TRUE(is_safe_at({}, "localhost"));
    EXPECT_TRUE(is_safe_at({}, "::1"));
    EXPECT_FALSE(is_safe_at({}, "0.0.0.0"));
    EXPECT_FALSE(is_safe_at({}, "127.evil.example"));
    EXPECT_TRUE(is_safe_at(with_users(), "0.0.0.0"));
    EXPECT_FALSE(is_wanted_at({}, "0.0.0.0", "server.health")) << "probes may be open to others; it stays closed";
    console_settings wanted;
    wanted.enabled = true;
    try {
        static_cast<void>(is_wanted_at(wanted, "0.0.0.0", "server.health"));
        FAIL();
    } catch (const configuration_error& e) {
        const std::string text = e.what();
        EXPECT_NE(text.find("server.health.host"), std::string::npos);
        EXPECT_NE(text.find("sluice console password NAME"), std::string::npos) << "the remedy";
    }
    wanted.enabled = false;
    EXPECT_FALSE(is_wanted_at(wanted, "127.0.0.1", "server.health"));
}

TEST(console_is_known_host, only_addresses_and_names_of_the_configuration) {
    const std::vector<std::string> names{"console.example"};
    for (const char* known : {"127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "LOCALHOST", "10.1.2.3",
                              "console.example", "Console.Example:443"}) {
        EXPECT_TRUE(is_known_host(known, names)) << known;
    }
    for (const char* foreign : {"", "evil.example", "evil.example:8080", "127.0.0.1.evil.example",
                                "console.example.evil", "localhost.evil.example", "[evil]", ":8080"}) {
        EXPECT_FALSE(is_known_host(foreign, names)) << foreign;
    }
}

TEST(console_is_same_origin, believes_the_browser) {
    EXPECT_TRUE(is_same_origin("a.example:80", "http://a.example:80", "same-origin"));
    EXPECT_TRUE(is_same_origin("a.example", "https://A.example", ""));
    EXPECT_TRUE(is_same_origin("a.example", "", "")) << "old browsers and programs; the token decides";
    EXPECT_FALSE(is_same_origin("a.example", "https://evil.example", ""));
    EXPECT_FALSE(is_same_origin("a.example", "null", ""));
    EXPECT_FALSE(is_same_origin("a.example", "", "cross-site"));
    EXPECT_FALSE(is_same_origin("a.example", "", "same-site"));
}

}  // namespace
}  // namespace sluice::console
