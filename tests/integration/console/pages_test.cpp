#include <gmock/gmock.h>

#include "integration/console/world.hpp"

// The pages as somebody at this machine sees them.
namespace sluice::console {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string in_post = "/console/contexts/post";

class console_pages : public console_world {
protected:
    console_pages() : console_world{{}} {}
};

TEST_F(console_pages, every_page_answers_with_one_heading_and_a_language) {
    post("l-1");
    for (const char* path : {"", "/contexts/post/rows", "/contexts/post/dead-letters", "/contexts/post/events",
                             "/contexts/post/processes", "/contexts/post/read-models", "/contexts/post/backfills",
                             "/contexts/post/commands", "/contexts/post/commands/PostLetter",
                             "/contexts/post/contracts", "/actions", "/contexts/post/lanes/default/partner"}) {
        const http::http_answer answer = get("/console" + std::string{path});
        EXPECT_EQ(answer.status, 200U) << path << answer.body;
        EXPECT_THAT(answer.body, HasSubstr("<!doctype html>\n<html lang=\"en\">")) << path;
        const auto heading = answer.body.find("<h1>");
        EXPECT_NE(heading, std::string::npos) << path;
        EXPECT_EQ(answer.body.find("<h1>", heading + 1), std::string::npos) << path;
    }
    EXPECT_EQ(get(in_post + "/lanes/default/nowhere").status, 404U);
    EXPECT_EQ(get(in_post + "/messages/none").status, 404U);
    EXPECT_EQ(get("/console/contexts/nowhere/rows").status, 404U);
}

TEST_F(console_pages, a_looker_is_told_how_to_act_and_cannot) {
    const std::string page = get(in_post + "/rows").body;
    EXPECT_THAT(page, HasSubstr("To act, log in as an operator."));
    EXPECT_THAT(page, Not(HasSubstr("method=\"post\"")));
    EXPECT_THAT(get("/console/login").body, HasSubstr("sluice console password NAME"));
}

TEST_F(console_pages, the_overview_says_first_what_needs_a_person) {
    post("l-1");
    const std::string page = get("/console").body;
    EXPECT_THAT(page, HasSubstr("Nobody serves the lane to partner"));
    EXPECT_LT(page.find("Needs a person"), page.find("Lanes"));
}

TEST_F(console_pages, a_message_shows_what_partners_get_and_where_its_copies_are) {
    post("l-1");
    const auto event = database_->open_operations()->events({}).front().event;
    const std::string page = get(in_post + "/messages/" + percent_encoded(event.message_id)).body;
    for (const char* part :
         {"Post.LetterPosted.v1", "To partner", "Causes and effects", "pending", "post::letter-l-1"}) {
        EXPECT_THAT(page, HasSubstr(part));
    }
}

TEST_F(console_pages, a_live_page_sends_itself_again_only_when_it_has_changed) {
    const http::http_answer first = get("/console/live?page=%2Fconsole");
    EXPECT_EQ(first.content_type, "text/event-stream");
    EXPECT_THAT(first.body, HasSubstr("event: page\ndata: \"<main "));
    const auto at = first.body.find("id: ");
    http::http_request again = request("GET", "/console/live?page=%2Fconsole");
    again.headers.emplace_back("last-event-id", first.body.substr(at + 4, 16));
    EXPECT_THAT(console_->answer(again).body, HasSubstr("nothing new"));
    post("l-1");
    clock_.advance(status_board::fresh);
    EXPECT_THAT(console_->answer(again).body, HasSubstr("event: page"));
}

TEST_F(console_pages, files_may_be_kept_for_good_because_their_address_changes_with_them) {
    const std::string page = get("/console").body;
    const auto at = page.find("/console/assets/");
    const std::string path = page.substr(at, page.find('"', at) - at);
    const http::http_answer file = get(path);
    EXPECT_EQ(file.status, 200U) << path;
    EXPECT_THAT(header(file, "cache-control"), HasSubstr("immutable"));
    EXPECT_EQ(get("/console/assets/0123456789ab/console.css").status, 404U);
}

class console_actions : public console_world {};

TEST_F(console_actions, asks_once_and_says_what_it_did) {
    post("l-1");
    const std::string anna = log_in("anna");
    const std::string page = get(in_post + "/rows?broker=partner", anna).body;
    const std::string token = token_in(page);
    const auto at = page.find("name=\"row\" value=\"");
    const std::string row = page.substr(at + 18, page.find('"', at + 18) - at - 18);
    ASSERT_THAT(row, HasSubstr("partner "));
    const std::string body = "csrf=" + token + "&row=" + percent_encoded(row) + "&reason=old";
    const http::http_answer question = post_form(in_post + "/rows/discard", body, anna);
    EXPECT_THAT(question.body, HasSubstr("Discard 1 row?"));
    EXPECT_TRUE(console_->audit().latest(1).front().action == "login") << "nothing is done yet";
    const http::http_answer done = post_form(in_post + "/rows/discard", body + "&confirmed=yes", anna);
    EXPECT_THAT(done.body, HasSubstr("1 row given up"));
    EXPECT_EQ(console_->audit().latest(1).front().action, "rows.discard");
    EXPECT_EQ(console_->audit().latest(1).front().who, "anna");
    EXPECT_THAT(get("/console/actions", anna).body, HasSubstr("rows.discard"));
}

TEST_F(console_actions, a_lane_rests_until_it_is_resumed) {
    const std::string anna = log_in("anna");
    const std::string lane = in_post + "/lanes/default/partner";
    const std::string token = token_in(get(lane, anna).body);
    EXPECT_THAT(post_form(lane + "/pause", "csrf=" + token + "&reason=migration", anna).body,
                HasSubstr("Pause the lanes to partner?"));
    EXPECT_THAT(post_form(lane + "/pause", "csrf=" + token + "&reason=migration&confirmed=yes", anna).body,
                HasSubstr("rest; running ones notice"));
    EXPECT_THAT(get(lane, anna).body, HasSubstr("migration")) << "at once";
    EXPECT_THAT(post_form(lane + "/resume", "csrf=" + token + "&confirmed=yes", anna).body, HasSubstr("go on"));
}

TEST_F(console_actions, a_backfill_is_ordered_followed_and_cancelled) {
    const std::string anna = log_in("anna");
    const std::string page = in_post + "/backfills";
    const std::string token = token_in(get(page, anna).body);
    const std::string order = "csrf=" + token + "&broker=partner&since=2026-11-29&rate=50";
    EXPECT_THAT(post_form(page, order, anna).body, AllOf(HasSubstr("Give partner events of before?"),
                                                         HasSubstr("50 a second"), HasSubstr("what is newer waits")));
    EXPECT_THAT(get(page, anna).body, HasSubstr("No broker was given")) << "it is asked first";
    EXPECT_THAT(post_form(page, order + "&confirmed=yes", anna).body, HasSubstr("how far it is"));
    EXPECT_THAT(get(page, anna).body, AllOf(HasSubstr("50/s"), HasSubstr("Pause partner"), HasSubstr("running")));
    EXPECT_THAT(post_form(page + "/partner/pause", "csrf=" + token + "&confirmed=yes", anna).body, HasSubstr("paused"));
    EXPECT_THAT(get(page, anna).body, HasSubstr("Resume partner"));
    EXPECT_THAT(post_form(page + "/partner/cancel", "csrf=" + token, anna).body, HasSubstr("cannot be resumed"));
    EXPECT_THAT(post_form(page + "/partner/cancel", "csrf=" + token + "&confirmed=yes", anna).body,
                HasSubstr("cancelled"));
    EXPECT_THAT(get(page, anna).body, Not(HasSubstr("Resume partner")));
    EXPECT_THAT(get(page, log_in("ben")).body, AllOf(HasSubstr("cancelled"), HasSubstr("viewer")));
}

}  // namespace
}  // namespace sluice::console
