#include <gmock/gmock.h>

#include "base/sha256.hpp"
#include "http/server.hpp"
#include "integration/console/world.hpp"

// Who gets in, and what gets out.
namespace sluice::console {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string rows = "/console/contexts/post/rows";

class console_security : public console_world {};

TEST_F(console_security, without_a_session_nothing_is_shown) {
    for (const route& each : console_->routes().routes()) {
        if (each.needs == console_role::none || each.method != "GET") continue;
        http::http_request asked = request("GET", each.path);
        const http::http_answer answer = console_->answer(asked);
        EXPECT_TRUE(answer.status == 401 || answer.status == 303) << each.path << " " << answer.status;
        EXPECT_THAT(answer.body, Not(HasSubstr("letter"))) << each.path;
    }
    EXPECT_EQ(get("/console/nothing/here").status, 303U) << "nor is told what there is";
    EXPECT_THAT(header(get(rows), "location"), "/console/login?back=%2Fconsole%2Fcontexts%2Fpost%2Frows");
    EXPECT_EQ(get("/api/v1/contexts").status, 401U);
    EXPECT_EQ(get("/console", "sluice_session_8080=" + std::string(64, 'a')).status, 303U) << "a session of nobody";
}

TEST_F(console_security, every_change_needs_the_role_of_an_operator) {
    const std::string ben = log_in("ben");
    for (const route& each : console_->routes().routes()) {
        if (each.method != "POST" || each.needs == console_role::none) continue;
        EXPECT_EQ(each.needs, console_role::operating) << each.path;
        http::http_request asked = request("POST", each.path);
        asked.headers.emplace_back("cookie", ben);
        asked.headers.emplace_back("content-type",
                                   is_interface(each.path) ? "application/json" : "application/x-www-form-urlencoded");
        EXPECT_EQ(console_->answer(asked).status, 403U) << each.path;
    }
    EXPECT_THAT(get(rows, ben).body, Not(HasSubstr("Retry picked")));
}

TEST_F(console_security, a_change_without_or_with_a_forged_token_is_refused) {
    post("l-1");
    const std::string anna = log_in("anna");
    const std::string token = token_in(get(rows, anna).body);
    ASSERT_EQ(token.size(), 64U);
    const std::string what = "&matching=yes&confirmed=yes";
    for (const std::string& forged :
         {std::string{}, std::string(64, '0'), token.substr(1), token_in(get(rows, log_in("anna")).body)}) {
        const http::http_answer answer = post_form(rows + "/discard", "csrf=" + forged + what, anna);
        EXPECT_EQ(answer.status, 403U) << forged;
    }
    EXPECT_THAT(post_form(rows + "/discard", "csrf=" + token + what, anna).body, HasSubstr("2 rows given up"));
}

TEST_F(console_security, a_page_of_somebody_else_cannot_act_even_with_a_token) {
    const std::string anna = log_in("anna");
    const std::string token = token_in(get(rows, anna).body);
    for (const auto& [name, value] : http::header_fields{{"origin", "http://evil.example"},
                                                         {"origin", "null"},
                                                         {"sec-fetch-site", "cross-site"},
                                                         {"sec-fetch-site", "same-site"}}) {
        http::http_request asked = request("POST", rows + "/retry");
        asked.headers.emplace_back("cookie", anna);
        asked.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
        asked.headers.emplace_back(name, value);
        asked.body = "csrf=" + token + "&matching=yes";
        EXPECT_EQ(console_->answer(asked).status, 403U) << name << " " << value;
    }
    http::http_request simple = request("POST", "/api/v1/contexts/post/rows/retry");
    simple.headers.emplace_back("cookie", anna);
    simple.headers.emplace_back("content-type", "text/plain");
    simple.body = R"({"all":true})";
    EXPECT_EQ(console_->answer(simple).status, 415U) << "a form of another page can send this type";
}

TEST_F(console_security, the_interface_wants_the_token_of_a_session_and_none_of_a_bearer) {
    const std::string anna = log_in("anna");
    const json::value session = json::parse(get("/api/v1/session", anna).body);
    http::http_request asked = request("POST", "/api/v1/contexts/post/rows/retry");
    asked.headers.emplace_back("cookie", anna);
    asked.headers.emplace_back("content-type", "application/json");
    asked.body = R"({"all":true})";
    EXPECT_EQ(console_->answer(asked).status, 403U);
    asked.headers.emplace_back("x-csrf-token", session.at("csrf_token").as_string());
    EXPECT_EQ(console_->answer(asked).status, 200U);
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/rows/retry", R"({"all":true})").status, 200U);
    EXPECT_EQ(call("GET", "/api/v1/contexts", "", "token of c").status, 401U);
}

TEST_F(console_security, a_foreign_host_is_not_answered) {
    for (const char* host : {"evil.example", "evil.example:8080", ""}) {
        http::http_request asked = request("GET", "/console/login");
        asked.headers = {{"host", host}};
        EXPECT_EQ(console_->answer(asked).status, 421U) << host;
    }
    http::http_request twice = request("GET", "/console/login");
    twice.headers.emplace_back("host", "evil.example");
    EXPECT_EQ(console_->answer(twice).status, 421U);
}

TEST_F(console_security, ways_out_of_the_tree_lead_nowhere) {
    const std::string anna = log_in("anna");
    for (const char* path :
         {"/console/../etc/passwd", "/console/%2e%2e/etc/passwd", "/console//contexts", "/console/%00",
          "/console/assets/../../etc/passwd", "/console/assets/x/..%2f..%2fetc%2fpasswd", "/console/contexts/%ff/rows",
          "/console/contexts/post/rows/%"}) {
        const http::http_answer answer = get(path, anna);
        EXPECT_TRUE(answer.status == 400 || answer.status == 404) << path << " " << answer.status;
        EXPECT_THAT(answer.body, Not(HasSubstr("root:"))) << path;
    }
    for (const char* page :
         {"/console/login", "/api/v1/contexts", "http://evil.example/", "/console/live?page=x", ""}) {
        EXPECT_EQ(get("/console/live?page=" + percent_encoded(page), anna).status, 400U) << page;
    }
}

TEST_F(console_security, a_logged_out_cookie_is_worth_nothing) {
    const std::string anna = log_in("anna");
    const std::string token = token_in(get(rows, anna).body);
    EXPECT_EQ(post_form("/console/logout", "csrf=bad", anna).status, 403U);
    ASSERT_EQ(get(rows, anna).status, 200U);
    EXPECT_EQ(post_form("/console/logout", "csrf=" + token, anna).status, 303U);
    EXPECT_EQ(get(rows, anna).status, 303U);
    EXPECT_EQ(post_form(rows + "/discard", "csrf=" + token + "&matching=yes&confirmed=yes", anna).status, 401U);
}

TEST_F(console_security, cookies_are_kept_from_scripts_and_other_sites) {
    const http::http_answer answer = try_to_log_in("anna", "secret phrase");
    EXPECT_THAT(header(answer, "set-cookie"), HasSubstr("; HttpOnly; SameSite=Strict"));
    EXPECT_THAT(header(get("/console/login"), "set-cookie"), HasSubstr("; HttpOnly; SameSite=Strict"));
    EXPECT_THAT(header(answer, "set-cookie"), Not(HasSubstr("Secure"))) << "it would never come back";
    over_tls_ = true;
    EXPECT_THAT(header(try_to_log_in("anna", "secret phrase"), "set-cookie"), HasSubstr("; Secure"));
}

TEST_F(console_security, wrong_passwords_are_limited_and_written_down) {
    for (int i = 0; i < login_limit::most_of_a_name; ++i) {
        EXPECT_EQ(try_to_log_in("anna", "wrong phrase").status, 401U) << i;
    }
    EXPECT_EQ(try_to_log_in("anna", "secret phrase").status, 429U) << "also with the right one";
    EXPECT_EQ(try_to_log_in("nobody", "secret phrase").status, 401U);
    EXPECT_EQ(console_->audit().latest(1).front().who, "") << "it may be a password in the wrong field";
    clock_.advance(login_limit::period);
    EXPECT_EQ(try_to_log_in("anna", "secret phrase").status, 303U);
    int failed = 0;
    for (const audit_entry& each : console_->audit().latest(100)) failed += each.action == "login.failed" ? 1 : 0;
    EXPECT_EQ(failed, login_limit::most_of_a_name + 1);
}

TEST_F(console_security, logging_in_needs_the_form_of_this_browser_and_leads_to_a_page_of_ours) {
    const http::http_answer form = get("/console/login");
    const std::string body = "csrf=" + token_in(form.body) + "&name=anna&password=secret+phrase&back=";
    EXPECT_EQ(post_form("/console/login", body, "sluice_login_8080=" + std::string(64, 'a')).status, 403U);
    EXPECT_EQ(post_form("/console/login", body).status, 403U);
    for (const char* back : {"https://evil.example/", "//evil.example", "/console/../../evil", "/consolevil",
                             "/console/%0d%0aset-cookie:x", "/console/\r\nx: y", "/console\\evil"}) {
        const http::http_answer fresh = get("/console/login");
        const http::http_answer answer = post_form(
            "/console/login",
            "csrf=" + token_in(fresh.body) + "&name=anna&password=secret+phrase&back=" + percent_encoded(back),
            cookie_in(fresh));
        ASSERT_EQ(answer.status, 303U) << back;
        const std::string location = header(answer, "location");
        EXPECT_TRUE(location == "/console" || location == back) << back << " → " << location;
        EXPECT_EQ(location.find_first_of("\r\n\\"), std::string::npos);
        EXPECT_TRUE(location.starts_with("/console")) << location;
        EXPECT_FALSE(location.starts_with("/consolev")) << location;
    }
}

TEST_F(console_security, script_in_every_field_from_outside_is_text) {
    const std::string evil = R"("><script>alert(1)</script><img src=x onerror=alert(1)>)";
    post(evil);
    const std::string anna = log_in("anna");
    const std::string encoded = percent_encoded(evil);
    std::vector<std::string> pages{"/console",
                                   rows,
                                   rows + "?broker=" + encoded + "&stream=" + encoded + "&message=" + encoded,
                                   rows + "?from=" + encoded,
                                   rows + "?status=" + encoded,
                                   "/console/contexts/post/events",
                                   "/console/contexts/post/events?type=" + encoded + "&correlation=" + encoded,
                                   "/console/contexts/post/dead-letters?group=" + encoded,
                                   "/console/contexts/post/dead-letters?broker=" + encoded,
                                   "/console/contexts/post/commands/" + encoded,
                                   "/console/contexts/" + encoded + "/rows",
                                   "/console/login?back=" + encoded,
                                   "/console/" + encoded};
    const auto events = env_->parts().databases.at("default")->open_operations()->events({});
    ASSERT_FALSE(events.empty());
    pages.push_back("/console/contexts/post/messages/" + percent_encoded(events.front().event.message_id));
    for (const std::string& each : pages) {
        const http::http_answer answer = get(each, anna);
        EXPECT_THAT(answer.body, Not(HasSubstr("<script>alert"))) << each;
        EXPECT_THAT(answer.body, Not(HasSubstr("<img"))) << each;
        EXPECT_THAT(header(answer, "content-security-policy"), HasSubstr("script-src 'self';")) << each;
    }
    EXPECT_THAT(get(pages.back(), anna).body, HasSubstr("&lt;script&gt;alert(1)")) << "it is shown as what it is";
    static_cast<void>(try_to_log_in(evil, "x"));
    EXPECT_THAT(get("/console/actions", anna).body, Not(HasSubstr("<script>alert")));
}

TEST_F(console_security, no_page_has_a_script_or_a_style_within) {
    const std::string anna = log_in("anna");
    post("l-1");
    for (const route& each : console_->routes().routes()) {
        if (each.method != "GET" || is_interface(each.path)) continue;
        std::string path = each.path;
        if (const auto at = path.find("{context}"); at != std::string::npos) path.replace(at, 9, "post");
        const std::string body = get(path, anna).body;
        for (const char* inline_part : {"<style", " style=", " onclick=", " onload=", "javascript:", "<script>"}) {
            EXPECT_THAT(body, Not(HasSubstr(inline_part))) << path;
        }
    }
}

TEST_F(console_security, hashes_of_passwords_and_tokens_are_in_no_answer) {
    const std::string anna = log_in("anna");
    for (const route& each : console_->routes().routes()) {
        if (each.method != "GET") continue;
        std::string path = each.path;
        if (const auto at = path.find("{context}"); at != std::string::npos) path.replace(at, 9, "post");
        const std::string body = get(path, anna).body;
        EXPECT_THAT(body, Not(HasSubstr(hash_of_secret()))) << path;
        EXPECT_THAT(body, Not(HasSubstr(base::sha256_hex("token of ci")))) << path;
    }
}

TEST_F(console_security, payloads_are_hidden_as_configured_in_pages_and_interface) {
    config::console_settings settings = settings_with_people();
    settings.redact.fields = {"letter_id"};
    open(settings);
    post("very-secret-letter");
    const auto event = env_->parts().databases.at("default")->open_operations()->events({}).front().event;
    const std::string anna = log_in("anna");
    const std::string id = percent_encoded(event.message_id);
    const std::string page = get("/console/contexts/post/messages/" + id, anna).body;
    EXPECT_THAT(page, HasSubstr("&quot;letter_id&quot;: &quot;•••&quot;"));
    EXPECT_THAT(page, Not(HasSubstr("&quot;letter_id&quot;: &quot;very")));
    const std::string json = get("/api/v1/contexts/post/messages/" + id, anna).body;
    EXPECT_THAT(json, HasSubstr(R"("letter_id":"•••")"));
    EXPECT_THAT(json, Not(HasSubstr(R"("letter_id":"very)")));

    settings.redact = {.payloads = console_role::operating, .fields = {}};
    open(settings);
    EXPECT_THAT(get("/console/contexts/post/messages/" + id, log_in("ben")).body,
                Not(HasSubstr("&quot;letter_id&quot;")));
    EXPECT_THAT(get("/console/contexts/post/messages/" + id, log_in("anna")).body, HasSubstr("&quot;letter_id&quot;"));
}

TEST_F(console_security, what_a_handler_throws_is_no_defect_and_a_slip_widens_nothing) {
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/rows/discard", R"({"brokre":"partner"})").status, 400U);
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/rows/discard", "{}").status, 400U) << "nothing chosen is not all";
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/dead-letters/purge", "{}").status, 400U);
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/rows/discard", "[]").status, 400U);
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/rows/discard", "{").status, 400U);
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/commands/PostLetter", R"({"data":{"letter_id":"x"}})").status, 409U)
        << "commands are off";
}

TEST(console_start, refuses_to_be_open_to_others) {
    post::moved_clock clock;
    EXPECT_THROW((console{{.settings = {}, .host = "0.0.0.0"}, {}, clock, base::system_random()}), configuration_error);
}

}  // namespace
}  // namespace sluice::console
