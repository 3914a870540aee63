#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "console/openapi.hpp"
#include "integration/console/world.hpp"

// The REST interface: what its document says is what answers.
namespace sluice::console {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class console_interface : public console_world {
protected:
    [[nodiscard]] json::value read(const std::string& target) {
        const http::http_answer answer = call("GET", target);
        EXPECT_EQ(answer.status, 200U) << target << " " << answer.body;
        return json::parse(answer.body);
    }
    [[nodiscard]] json::value change(const std::string& target, const std::string& body) {
        const http::http_answer answer = call("POST", "/api/v1/contexts/post" + target, body);
        EXPECT_EQ(answer.status, 200U) << target << " " << answer.body;
        return json::parse(answer.body);
    }
    [[nodiscard]] std::string first_message() {
        return read("/api/v1/contexts/post/rows").at("rows").at(0).at("message_id").as_string();
    }
};

/// The path with values for what it names, which need not exist.
std::string filled(std::string path) {
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
             {"{context}", "post"}, {"{database}", "default"}, {"{broker}", "partner"}}) {
        if (const auto at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
    }
    while (path.find('{') != std::string::npos) {
        const auto begin = path.find('{');
        path.replace(begin, path.find('}') - begin + 1, "none");
    }
    return path;
}

TEST_F(console_interface, each_route_is_in_the_document_and_answers) {
    const json::value document = read("/api/v1/openapi.json");
    std::size_t in_table = 0;
    for (const route& each : console_->routes().routes()) {
        if (!is_interface(each.path)) continue;
        ++in_table;
        const json::value* const path = document.at("paths").find(each.path);
        ASSERT_NE(path, nullptr) << each.path;
        const json::value* const operation = path->find(each.method == "GET" ? "get" : "post");
        ASSERT_NE(operation, nullptr) << each.method << " " << each.path;
        EXPECT_EQ(operation->at("operationId").as_string(), each.name);
        EXPECT_FALSE(operation->at("summary").as_string().empty()) << each.name;
        // Each `{name}` of the path is described.
        for (auto at = each.path.find('{'); at != std::string::npos; at = each.path.find('{', at + 1)) {
            const std::string name = each.path.substr(at + 1, each.path.find('}', at) - at - 1);
            const auto& parameters = operation->at("parameters").as_array();
            EXPECT_TRUE(std::ranges::any_of(parameters,
                                            [&](const json::value& parameter) {
                                                return parameter.string_or("name", "") == name &&
                                                       parameter.string_or("in", "") == "path";
                                            }))
                << each.path << " " << name;
        }
        const http::http_answer answer =
            call(each.method, filled(each.path), each.method == "POST" ? R"({"dry_run":true,"all":true})" : "");
        EXPECT_NE(answer.status, 405U) << each.path;
        EXPECT_LT(answer.status, 500U) << each.path << " " << answer.body;
        const bool is_problem = answer.content_type == "application/problem+json";
        EXPECT_EQ(is_problem, answer.status != 200) << each.path << " " << answer.status;
        EXPECT_NO_THROW(static_cast<void>(json::parse(answer.body))) << each.path;
    }
    std::size_t in_document = 0;
    for (const auto& [path, operations] : document.at("paths").as_object())
        in_document += operations.as_object().size();
    EXPECT_EQ(in_document, in_table);
}

TEST_F(console_interface, names_of_operations_are_unique) {
    std::set<std::string> names;
    for (const route& each : console_->routes().routes()) {
        if (!is_interface(each.path)) continue;
        EXPECT_TRUE(names.insert(each.name).second) << each.name;
    }
}

TEST_F(console_interface, rows_come_page_by_page_and_none_is_left_out) {
    for (int i = 0; i < 25; ++i) post("l-" + std::to_string(i));
    std::set<std::string> seen;
    std::string from;
    int pages = 0;
    do {
        const json::value page =
            read("/api/v1/contexts/post/rows?limit=7" + (from.empty() ? "" : "&from=" + percent_encoded(from)));
        for (const json::value& row : page.at("rows").as_array()) {
            const std::string key = row.at("message_id").as_string() + row.at("target_broker").as_string();
            EXPECT_TRUE(seen.insert(key).second) << key;
        }
        EXPECT_LE(page.at("rows").as_array().size(), 8U);
        from = page.at("next").is_null() ? "" : page.at("next").as_string();
        ASSERT_LT(++pages, 20);
    } while (!from.empty());
    EXPECT_EQ(seen.size(), 50U) << "two copies of each";
    EXPECT_EQ(call("GET", "/api/v1/contexts/post/rows?limit=501").status, 400U);
    EXPECT_EQ(call("GET", "/api/v1/contexts/post/rows?from=nonsense").status, 400U);
    EXPECT_EQ(call("GET", "/api/v1/contexts/post/events?created_from=yesterday").status, 400U);
}

TEST_F(console_interface, discards_and_retries_what_was_chosen_and_writes_it_down) {
    post("l-1");
    post("l-2");
    EXPECT_EQ(json::dump(change("/rows/discard", R"({"broker":"partner","dry_run":true})")),
              R"({"matching":2,"changed":0})");
    const std::string id = first_message();
    EXPECT_EQ(change("/rows/discard", R"({"rows":[{"target_broker":"partner","message_id":")" + id +
                                          R"("}],"reason":"asked by the partner"})")
                  .at("changed")
                  .as_int(),
              1);
    const json::value row = read("/api/v1/contexts/post/rows?status=abandoned").at("rows").at(0);
    EXPECT_EQ(row.at("last_error").at("message").as_string(), "asked by the partner");
    EXPECT_EQ(change("/rows/retry", R"({"status":"abandoned"})").at("changed").as_int(), 1);
    const json::value actions = read("/api/v1/actions").at("actions");
    EXPECT_EQ(actions.at(0).at("action").as_string(), "rows.retry");
    EXPECT_EQ(actions.at(0).at("user").as_string(), "ci");
    EXPECT_EQ(actions.at(0).at("count").as_int(), 1);
    EXPECT_THAT(actions.at(1).at("target").as_string(), HasSubstr("asked by the partner"));
}

TEST_F(console_interface, pauses_and_resumes_lanes) {
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/lanes/nowhere/pause", R"({"reason":"x"})").status, 404U);
    static_cast<void>(change("/lanes/partner/pause", R"({"reason":"migration"})"));
    clock_.advance(status_board::fresh);
    const json::value concerns = read("/api/v1/contexts/post/concerns").at("concerns");
    EXPECT_THAT(json::dump(concerns), HasSubstr("paused by an operator"));
    static_cast<void>(change("/lanes/partner/resume", ""));
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/lanes/partner/resume").status, 409U);
}

TEST_F(console_interface, orders_a_backfill_and_pauses_resumes_and_cancels_it) {
    post("l-1");
    const json::value begun = change("/backfills", R"({"broker":"partner","since":"2026-11-29","rate":50})");
    const json::value& one = begun.at("backfills").at(0);
    EXPECT_EQ(one.at("state").as_string(), "running");
    EXPECT_EQ(one.at("rate").as_double(), 50);
    const json::value paused = change("/backfills/partner/pause", "{}");
    EXPECT_EQ(paused.at("backfills").at(0).at("state").as_string(), "paused");
    const json::value resumed = change("/backfills/partner/resume", R"({"rate":70})");
    EXPECT_EQ(resumed.at("backfills").at(0).at("rate").as_double(), 70);
    static_cast<void>(change("/backfills/partner/cancel", "{}"));
    const json::value all = read("/api/v1/contexts/post/backfills?broker=partner");
    EXPECT_EQ(all.at("backfills").as_array().size(), 1U);
    EXPECT_EQ(all.at("backfills").at(0).at("state").as_string(), "cancelled");
    const json::value actions = read("/api/v1/actions");
    EXPECT_EQ(actions.at("actions").at(0).at("action").as_string(), "backfills.cancel");
    EXPECT_THAT(actions.at("actions").at(3).at("target").as_string(), AllOf(HasSubstr("2026-11-29"), HasSubstr("50")));
}

TEST_F(console_interface, refuses_a_backfill_that_cannot_be_meant) {
    const auto answer_to = [&](const std::string& body) {
        return call("POST", "/api/v1/contexts/post/backfills", body);
    };
    EXPECT_THAT(answer_to(R"({"broker":"partnr"})").body, AllOf(HasSubstr("partnr"), HasSubstr("partner")));
    EXPECT_EQ(answer_to(R"({"broker":"partner","types":["Nothing"]})").status, 404U);
    EXPECT_EQ(answer_to(R"({"broker":"partner","types":"PostedLetter"})").status, 400U);
    EXPECT_EQ(answer_to(R"({"broker":"partner","first":0})").status, 400U);
    EXPECT_EQ(answer_to(R"({"broker":"partner","typos":[]})").status, 400U);
    EXPECT_THAT(answer_to(R"({"broker":"partner","first":1,"since":"2026-11-29"})").body, HasSubstr("contradict"));
    EXPECT_THAT(answer_to("{}").body, HasSubstr("broker is missing"));
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/backfills/partner/pause", "{}").status, 409U) << "there is none";
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/backfills/partner/pause", R"({"rate":5})").status, 400U);
    EXPECT_THAT(read("/api/v1/contexts/post/backfills").at("backfills").as_array(), ::testing::IsEmpty());
}

TEST_F(console_interface, sends_a_command_when_that_is_allowed) {
    config::console_settings settings = settings_with_people();
    settings.send_commands = true;
    open(settings);
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/commands/PostLetter", R"({"data":{"letter_id":"l-9"}})").status,
              200U);
    EXPECT_EQ(read("/api/v1/contexts/post/rows?limit=1").at("rows").at(0).at("type").as_string(),
              "Post.LetterPosted.v1");
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/commands/PostLetter", R"({"data":{}})").status, 422U);
    EXPECT_EQ(call("POST", "/api/v1/contexts/post/commands/Nothing", R"({"data":{}})").status, 400U);
    hook_->on_handle([](const std::string&) { throw std::runtime_error{"no stamps"}; });
    const http::http_answer thrown =
        call("POST", "/api/v1/contexts/post/commands/StampLetter", R"({"data":{"letter_id":"l-9"}})");
    EXPECT_EQ(thrown.status, 422U);
    EXPECT_THAT(thrown.body, HasSubstr("no stamps"));
}

TEST_F(console_interface, what_a_program_has_already_is_not_sent_again) {
    const http::http_answer first = call("GET", "/api/v1/contexts");
    http::http_request again = request("GET", "/api/v1/contexts");
    again.headers.emplace_back("authorization", "Bearer token of ci");
    again.headers.emplace_back("if-none-match", header(first, "etag"));
    const http::http_answer second = console_->answer(again);
    EXPECT_EQ(second.status, 304U);
    EXPECT_EQ(second.body, "");
}

TEST_F(console_interface, the_trace_of_a_message_reads_the_log_around_it_only) {
    const auto post_in = [&](const char* correlation, const std::string& id) {
        auto in = command::make_context(*env_);
        static_cast<void>(in.process("PostLetter", json::object{{"letter_id", id}}, {.correlation_id = correlation}));
    };
    post_in("c", "first");
    for (int i = 0; i < 5; ++i) post_in("another", std::to_string(i));
    post_in("c", "last");
    const std::string trace = "/api/v1/contexts/post/messages/" + percent_encoded(first_message()) + "/trace";
    EXPECT_THAT(json::dump(read(trace)), AllOf(HasSubstr("letter-first"), HasSubstr("letter-last")));
    EXPECT_THAT(json::dump(read(trace + "?numbers=3")),
                AllOf(Not(HasSubstr("letter-first")), HasSubstr("letter-last")));
    EXPECT_EQ(call("GET", "/api/v1/contexts/post/messages/c/trace").status, 404U) << "a correlation is no message";
}

}  // namespace
}  // namespace sluice::console
