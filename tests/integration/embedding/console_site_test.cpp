#include <sluice/console.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

#include "base/sha256.hpp"
#include "support/post_office.hpp"

namespace sluice::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class console_site_test : public ::testing::Test {
protected:
    static std::string configuration(const std::string& console = "") {
        return "[databases.default]\nprovider = \"memory\"\n[brokers.default]\nprovider = \"inline\"\n"
               "[brokers.partner]\nprovider = \"inline\"\n[outbox]\nexternal_brokers = [\"partner\"]\n" +
               console;
    }
    [[nodiscard]] application make_application(const std::string& console = "") {
        application_options options;
        options.log = [this](const log_record& line) {
            const std::lock_guard lock{mutex_};
            lines_.push_back(to_text(line));
        };
        application made{post::make_domain(std::make_shared<post::script>()),
                         settings::from_text(configuration(console)), std::move(options)};
        made.setup();
        return made;
    }
    static web_request get(const std::string& path) {
        return {.method = "GET", .path = path, .headers = {{"host", "localhost:8080"}}, .client = "127.0.0.1"};
    }
    static web_request post(const std::string& path, const std::string& body) {
        web_request asked = get(path);
        asked.method = "POST";
        asked.headers.emplace_back("authorization", "Bearer secret of ci");
        asked.headers.emplace_back("content-type", "application/json");
        asked.body = body;
        return asked;
    }
    static std::string with_a_program() {
        return "[console.tokens.ci]\nrole = \"operator\"\nsha256 = \"" + base::sha256_hex("secret of ci") + "\"\n";
    }

    std::mutex mutex_;
    std::vector<std::string> lines_;
};

TEST_F(console_site_test, serves_what_is_the_consoles_and_nothing_else) {
    application app = make_application();
    console_site console{app};
    for (const char* ours : {"/console", "/console/contexts/post/rows", "/api/v1/contexts"}) {
        EXPECT_TRUE(console.serves(ours)) << ours;
    }
    for (const char* other : {"/", "/consoles", "/api/v2", "/healthz"}) EXPECT_FALSE(console.serves(other)) << other;
}

TEST_F(console_site_test, shows_the_application_whether_it_runs_or_not) {
    application app = make_application();
    console_site console{app};
    EXPECT_THAT(console.answer(get("/console")).body, HasSubstr("<h1>Overview</h1>"));
    auto context = app.context();
    context.process(post::post_letter{.letter_id = "l-1"});
    EXPECT_THAT(console.answer(get("/console/contexts/post/rows")).body, HasSubstr("post::letter-l-1"));
    app.start();
    const application moved = std::move(app);
    EXPECT_EQ(console.answer(get("/console/contexts/post/lanes/default/partner")).status, 200U);
    const web_response settings = console.answer(get("/console/contexts/post/configuration"));
    EXPECT_THAT(settings.body, HasSubstr("external_brokers")) << "which is in no file";
    EXPECT_THAT(settings.headers, Contains(Pair("cache-control", "no-store")));
    EXPECT_EQ(console.answer(get("/console/nothing")).status, 404U);
}

TEST_F(console_site_test, acts_for_those_who_may_and_writes_it_into_the_log_of_the_application) {
    application app = make_application(with_a_program());
    console_site console{app};
    auto context = app.context();
    context.process(post::post_letter{.letter_id = "l-1"});
    const std::string discard = "/api/v1/contexts/post/rows/discard";
    const std::string all = R"({"all": true, "reason": "a test"})";
    web_request unknown = post(discard, all);
    unknown.headers.erase(unknown.headers.begin() + 1);
    EXPECT_EQ(console.answer(unknown).status, 401U);
    const web_response done = console.answer(post(discard, all));
    EXPECT_EQ(done.status, 200U) << done.body;
    EXPECT_THAT(done.body, Not(HasSubstr("\"changed\":0")));
    EXPECT_THAT(lines_, Contains(HasSubstr("console.action")));
}

TEST_F(console_site_test, is_not_made_where_it_would_be_open_to_others_or_is_switched_off) {
    application open = make_application();
    EXPECT_THROW((console_site{open, {.host = "0.0.0.0"}}), configuration_error);
    application closed = make_application(with_a_program());
    EXPECT_NO_THROW((console_site{closed, {.host = "0.0.0.0"}}));
    application off = make_application("[console]\nenabled = false\n");
    EXPECT_THROW(console_site{off}, configuration_error);
}

}  // namespace
}  // namespace sluice::testing
