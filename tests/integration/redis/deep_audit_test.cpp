// `sluice audit --deep` on a real Redis whose stream somebody has meddled with.

#include <csignal>

#include <gmock/gmock.h>

#include <sluice/json.hpp>

#include "integration/tiny_project.hpp"
#include "support/eventually.hpp"
#include "support/redis_server.hpp"

namespace sluice::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class redis_deep_audit : public tiny_project {
protected:
    redis_deep_audit() {
        std::string text = tiny_configuration;
        const std::string embedded = "provider = \"sqlite\"\nURI = \"default.db\"\n";
        text.replace(text.find(embedded), embedded.size(), "provider = \"redis\"\nURI = \"" + server_.uri() + "/0\"\n");
        configure(text + "health.enabled = false\n");
    }

    [[nodiscard]] program_result sluice(const std::vector<std::string>& arguments) const {
        return run_sluice(arguments, settings());
    }
    [[nodiscard]] json::value at_broker() const {
        const auto result = sluice({"audit", "--deep", "--broker", "default", "--json"});
        return json::parse(result.out).at("brokers").at(0).at("at_broker");
    }
    void increase(const std::string& id) const {
        ASSERT_EQ(sluice({"process", "Increase", R"({"counter_id":")" + id + R"(","by":1})"}).code, 0);
    }
    void publish_all() {
        running_program program{{"server"}, settings()};
        const auto is_done = [&] {
            const auto lane = json::parse(sluice({"status", "--json"}).out).at("lanes").at(0);
            return lane.at("depth").as_int() == 0;
        };
        ASSERT_TRUE(eventually(is_done));
        program.signal(SIGTERM);
        EXPECT_EQ(program.finish().code, 0);
    }
    /// The ids of the stream's entries.
    [[nodiscard]] std::vector<std::string> entries() const {
        std::vector<std::string> ids;
        const auto all = server_.cli({"xrange", stream, "-", "+"}) + '\n';
        std::size_t line = 0;
        for (std::size_t begin = 0; begin < all.size(); ++line) {
            const auto end = all.find('\n', begin);
            if (line % 3 == 0) ids.push_back(all.substr(begin, end - begin));
            begin = end + 1;
        }
        return ids;
    }
    [[nodiscard]] std::string body_of(const std::string& entry) const {
        const auto text = server_.cli({"xrange", stream, entry, entry});
        return text.substr(text.find('{'));
    }

    static constexpr auto stream = "tiny::counter";
    redis_server server_{directory_ / "redis"};
};

TEST_F(redis_deep_audit, finds_lost_copied_and_reordered_entries) {
    for (const char* id : {"c-1", "c-2", "c-3", "c-4"}) {
        create_counter(id);
        increase(id);
    }
    publish_all();
    const auto there = entries();
    ASSERT_THAT(there, SizeIs(8));
    EXPECT_EQ(sluice({"audit", "--deep"}).code, 0);

    server_.cli({"xdel", stream, there.at(2)});                        // the creation of c-2 is lost
    server_.cli({"xadd", stream, "*", "data", body_of(there.at(5))});  // one more increase of c-3
    const auto moved = body_of(there.at(6));
    server_.cli({"xdel", stream, there.at(6)});
    server_.cli({"xadd", stream, "*", "data", moved});  // the creation of c-4, behind its increase
    server_.cli({"xadd", stream, "*", "data", "not of Sluice"});
    server_.cli({"xadd", stream, "*", "other", "{}"});

    const auto groups = server_.cli({"xinfo", "groups", stream});
    const auto shown = sluice({"audit", "--deep"});
    EXPECT_EQ(shown.code, 1) << shown.err;
    EXPECT_THAT(shown.out, AllOf(HasSubstr("missing default: event 3 tiny::counter-c-2-0.1 "),
                                 HasSubstr("doubled default: event 6 tiny::counter-c-3-1.1 "),
                                 HasSubstr("out of order default: event 7 tiny::counter-c-4-0.1 ")));
    const auto found = at_broker();
    EXPECT_EQ(found.at("missing").as_int(), 1);
    EXPECT_EQ(found.at("doubled").as_int(), 1);
    EXPECT_EQ(found.at("out_of_order").as_int(), 1);
    EXPECT_EQ(found.at("present").as_int(), found.at("confirmed").as_int() - 1);
    EXPECT_EQ(server_.cli({"xinfo", "groups", stream}), groups) << "nobody has read anything";
}

TEST_F(redis_deep_audit, calls_expired_what_was_trimmed_and_missing_what_went_with_its_stream) {
    for (const char* id : {"c-1", "c-2", "c-3"}) create_counter(id);
    publish_all();
    server_.cli({"xtrim", stream, "MAXLEN", "1"});
    const auto trimmed = at_broker();
    EXPECT_EQ(trimmed.at("expired").as_int(), 2) << json::dump(trimmed);
    EXPECT_TRUE(trimmed.at("closes").as_bool());

    server_.cli({"xtrim", stream, "MAXLEN", "0"});
    EXPECT_EQ(at_broker().at("expired").as_int(), 3) << "the stream is there and empty";
    server_.cli({"del", stream});
    const auto gone = at_broker();
    EXPECT_EQ(gone.at("missing").as_int(), 3) << json::dump(gone);
}

TEST_F(redis_deep_audit, says_that_the_server_is_away) {
    create_counter("c-1");
    publish_all();
    server_.stop();
    const auto result = sluice({"audit", "--deep"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(result.err, HasSubstr("redis"));
}

}  // namespace
}  // namespace sluice::testing
