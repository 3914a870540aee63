// The engine, with a configuration that names the node: nothing else is needed for an event to leave.

#include "integration/rabbitmq/rabbitmq_fixture.hpp"
#include "integration/tiny_project.hpp"
#include "support/rabbitmq_server.hpp"

namespace sluice::broker::rabbitmq_test {
namespace {

using ::testing::HasSubstr;

class rabbitmq_lane : public sluice::testing::tiny_project {
protected:
    rabbitmq_lane() { static_cast<void>(partner_->read(0, 0, {})); }
    ~rabbitmq_lane() override {
        partner_.reset();
        broker_->open_operations()->retire_group("tiny::counter", exchange_);
    }

    sluice::testing::rabbitmq::server node_ = sluice::testing::rabbitmq::server::shared();
    std::string exchange_ = sluice::testing::rabbitmq::fresh_name("lane");
    std::unique_ptr<broker> broker_ = make_rabbitmq_broker({.uri = node_.uri(),
                                                            .exchange = exchange_,
                                                            .declare = true,
                                                            .connect_timeout = seconds{20},
                                                            .answer_timeout = seconds{20}});
    std::unique_ptr<reader> partner_ = broker_->open_reader({"tiny::counter"}, {.group = exchange_, .consumer = {}});
};

TEST_F(rabbitmq_lane, carries_a_published_event_by_configuration_alone) {
    configure(fmt::format(R"([databases.default]
provider = "sqlite"
database_uri = "sqlite:///tiny.db"
[brokers.default]
provider = "sqlite"
URI = "default.db"
[brokers.partner]
provider = "rabbitmq"
URI = "{}"
exchange = "{}"
[brokers.elsewhere]
provider = "sqlite"
URI = "elsewhere.db"
[outbox]
external_brokers = ["partner", "elsewhere"]
[server]
)",
                          node_.uri(), exchange_));
    create_counter("c-1");
    sluice::testing::running_program server{{"server"}, settings()};
    base::wake_signal nobody;
    std::vector<delivery> got;
    EXPECT_TRUE(sluice::testing::eventually([&] {
        static_cast<void>(partner_->wait(nobody, milliseconds{50}));
        for (auto& each : partner_->read(0, 10, {})) got.push_back(std::move(each));
        return !got.empty();
    }));
    server.signal(SIGTERM);
    const auto ended = server.finish();
    EXPECT_EQ(ended.code, 0) << ended.err;
    ASSERT_EQ(got.size(), 1U) << ended.err;
    EXPECT_THAT(got[0].body, HasSubstr("Tiny.CounterCreated"));
    EXPECT_THAT(got[0].key, HasSubstr("c-1"));
    EXPECT_EQ(ended.err.find("guest:guest"), std::string::npos) << "no password in the log";
    const auto check = sluice::testing::run_sluice({"check"}, settings());
    EXPECT_EQ(check.code, 0) << check.out << check.err;
}

}  // namespace
}  // namespace sluice::broker::rabbitmq_test
