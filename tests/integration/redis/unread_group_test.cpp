// Dead letters of a group that no handler reads, from the command line.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include <sluice/json.hpp>

#include "broker/redis/redis_broker.hpp"
#include "broker/sqlite/sqlite_broker.hpp"
#include "integration/tiny_project.hpp"
#include "support/consumer.hpp"
#include "support/redis_server.hpp"

namespace sluice::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

enum class dead_letters_on : std::uint8_t { redis, sqlite };

/// Two groups of the tiny domain have given up the same message: `tiny.Tally`, and one whose handler is gone.
class unread_group : public tiny_project, public ::testing::WithParamInterface<dead_letters_on> {
protected:
    unread_group() {
        std::string text{tiny_configuration};
        if (GetParam() == dead_letters_on::redis) {
            redis_ = std::make_unique<redis_server>(directory_ / "redis");
            const std::string embedded = "provider = \"sqlite\"\nURI = \"default.db\"";
            text.replace(text.find(embedded), embedded.size(),
                         fmt::format("provider = \"redis\"\nURI = \"{}\"", redis_->uri()));
        }
        configure(text);
        EXPECT_EQ(sluice({"db", "setup"}).code, 0);
        const auto broker = connect();
        const broker::outgoing message{.stream = "tiny::counter", .message_id = "m-1", .key = "k", .body = "{}"};
        static_cast<void>(broker->open_publisher()->publish({&message, 1}, {}, std::chrono::seconds{10}));
        for (const char* group : {"tiny.former", "tiny.Tally"}) {
            const auto reader = sluice::testing::open_consumer(*broker, "tiny::counter",
                                                               {.group = group, .consumer = "c", .domain = "tiny"});
            const auto got = reader->read(1, system_clock().now());
            reader->dead_letter(got.at(0), {.reason = "no", .code = "handler_failed", .attempts = 1, .at = {}});
        }
    }

    [[nodiscard]] std::unique_ptr<broker::broker> connect() const {
        if (redis_ != nullptr) return broker::make_redis_broker({.uri = redis_->uri()});
        return broker::make_sqlite_broker({.path = directory_ / "default.db"});
    }
    [[nodiscard]] program_result sluice(const std::vector<std::string>& arguments) const {
        return run_sluice(arguments, settings());
    }
    [[nodiscard]] std::vector<broker::dead_letter_entry> dead() const {
        return connect()->open_operations()->dead_letters({});
    }

    std::unique_ptr<redis_server> redis_;
};

TEST_P(unread_group, gets_no_dead_letter_back_and_is_named_with_its_remedy) {
    const auto named =
        AllOf(HasSubstr("left: 1 dead letter of tiny.former on tiny::counter (broker default): no handler"
                        " of this build reads for this group"),
              HasSubstr(R"(give it .name = "tiny.former")"),
              HasSubstr("sluice subscriptions retire tiny.former --stream tiny::counter"));
    const auto all = sluice({"dlq", "replay", "--all", "--yes"});
    EXPECT_EQ(all.code, 1);
    EXPECT_EQ(all.out, "1 dead letter handed back to the group that failed\n") << "to the one that is read";
    EXPECT_THAT(all.err, named);
    ASSERT_THAT(dead(), SizeIs(1));
    EXPECT_EQ(dead()[0].group, "tiny.former");

    const auto one = sluice({"dlq", "replay", dead()[0].id});
    EXPECT_EQ(one.code, 1);
    EXPECT_EQ(one.out, "0 dead letters handed back to the group that failed\n");
    EXPECT_THAT(one.err, named);
    const auto told = json::parse(sluice({"dlq", "replay", "--group", "tiny.former", "--yes", "--json"}).out);
    EXPECT_EQ(told.at("changed").as_int(), 0);
    EXPECT_EQ(told.at("left").at(0).at("count").as_int(), 1);
    EXPECT_THAT(dead(), SizeIs(1));
}

TEST_P(unread_group, gets_them_when_no_domain_is_named_that_could_tell) {
    const auto all = run_sluice({"dlq", "replay", "--all", "--yes"}, {.directory = directory_.path()});
    EXPECT_EQ(all.code, 0) << all.err;
    EXPECT_EQ(all.out, "2 dead letters handed back to the group that failed\n");
    EXPECT_THAT(dead(), SizeIs(0));
}

INSTANTIATE_TEST_SUITE_P(on, unread_group, ::testing::Values(dead_letters_on::redis, dead_letters_on::sqlite),
                         [](const auto& tested) {
                             return std::string{tested.param == dead_letters_on::redis ? "redis" : "sqlite"};
                         });

}  // namespace
}  // namespace sluice::testing
