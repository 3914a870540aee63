// The official Python client reads what we write and writes what we read, and an event leaves by configuration alone.

#include <fstream>

#include <sluice/json.hpp>

#include "integration/nats/nats_fixture.hpp"
#include "integration/tiny_project.hpp"
#include "support/shell.hpp"

namespace sluice::broker::nats_test {
namespace {

using namespace std::chrono_literals;
using sluice::testing::shell_word;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Runs the Python side; what it showed. Each argument is one word.
std::vector<json::value> peer(const strings& arguments) {
    std::string command = shell_word(std::string{NATS_PEER_ENVIRONMENT} + "/bin/python") + " " + shell_word(NATS_PEER);
    for (const auto& each : arguments) command += " " + shell_word(each);
    const auto output = sluice::testing::run_command(command);
    std::vector<json::value> shown;
    for (std::size_t begin = 0; begin < output.size();) {
        const auto end = std::min(output.find('\n', begin), output.size());
        shown.push_back(json::parse(std::string_view{output}.substr(begin, end - begin)));
        begin = end + 1;
    }
    return shown;
}

std::string why_no_peer() {
    std::ifstream file{std::filesystem::path{NATS_PEER_ENVIRONMENT} / "unavailable"};
    std::string reason;
    std::getline(file, reason);
    return reason;
}

class nats_peer : public nats_test {
protected:
    void SetUp() override {
        if (const auto reason = why_no_peer(); !reason.empty()) GTEST_SKIP() << reason;
    }
};

TEST_F(nats_peer, reads_what_we_write) {
    make_orders();
    const auto broker = connect();
    ASSERT_TRUE(delivers(*broker->open_publisher(), {{.id = "größe-1", .key = "shop::order-1", .body = "{\"n\":1}"}}));
    const auto shown = peer({"read", server_.uri(), "shop.order", "1"});
    ASSERT_THAT(shown, SizeIs(1));
    EXPECT_EQ(shown[0].at("subject").as_string(), "shop.order");
    EXPECT_EQ(shown[0].at("data").as_string(), "{\"n\":1}");
    EXPECT_EQ(shown[0].at("headers").at("sluice-key").as_string(), "shop::order-1");
    EXPECT_EQ(shown[0].at("headers").at("Nats-Msg-Id").as_string(), "größe-1");
}

TEST_F(nats_peer, writes_what_we_read_and_sees_who_reads) {
    make_orders();
    ASSERT_THAT(peer({"write", server_.uri(), "shop.order", "k", "one", "two"}), SizeIs(2));
    const auto broker = connect();
    const auto reader = broker->open_reader({"shop::order"}, {.group = "g", .consumer = "c", .domain = "shop"});
    const auto got = reader->read(0, 10, {});
    ASSERT_THAT(got, SizeIs(2));
    EXPECT_EQ(got[0].body, "one");
    EXPECT_EQ(got[1].key, "k");
    EXPECT_THAT(got[0].head, ElementsAre(envelope::header{"traceparent", "00-1-2-01"}));
    const auto bucket = peer({"group", server_.uri(), "sluice-groups"});
    ASSERT_THAT(bucket, SizeIs(1));
    EXPECT_EQ(json::parse(bucket[0].at("value").as_string()).at("consumer").as_string(), "c");
}

/// The real program on a domain that knows nothing of NATS.
class nats_program : public sluice::testing::tiny_project {
protected:
    nats_program() : server_{directory_ / "nats"} {}

    /// What becomes of one published event. @param more  lines of the configuration
    [[nodiscard]] sluice::testing::nats_server::stored publish_one(const std::string& more = {}) {
        std::string text = sluice::testing::tiny_configuration;
        const std::string alone = R"(external_brokers = ["partner"])";
        text.replace(text.find(alone), alone.size(), R"(external_brokers = ["partner", "nats"])");
        configure(fmt::format("[brokers.nats]\nprovider = \"nats\"\nURI = \"{}\"\ncreate_stream = true\n{}\n{}",
                              server_.uri(), more, text));
        create_counter("c-1");
        const auto checked = sluice::testing::run_sluice({"check"}, settings());
        EXPECT_EQ(checked.code, 0) << checked.out << checked.err;
        sluice::testing::running_program program{{"server"}, settings()};
        EXPECT_TRUE(sluice::testing::eventually([&] { return !server_.streams().empty(); }));
        EXPECT_TRUE(sluice::testing::eventually([&] { return !server_.messages("tiny_counter").empty(); }));
        auto sent = server_.messages("tiny_counter").at(0);
        program.signal(SIGTERM);
        EXPECT_EQ(program.finish().code, 0);
        return sent;
    }

    sluice::testing::nats_server server_;
};

TEST_F(nats_program, publishes_by_configuration_alone_beside_another_broker) {
    const auto sent = publish_one();
    EXPECT_EQ(sent.subject, "tiny.counter");
    EXPECT_THAT(sent.head.at("Nats-Msg-Id"), HasSubstr("tiny::counter-c-1"));
    EXPECT_EQ(sent.head.at("sluice-key"), "tiny::counter-c-1");
    EXPECT_EQ(json::parse(sent.body).at("data").at("counter_id").as_string(), "c-1");
    EXPECT_THAT(sluice::testing::run_sluice({"status"}, settings()).out, HasSubstr("nats"));
}

TEST_F(nats_program, writes_a_cloudevent_into_headers_when_it_is_told_to) {
    const auto sent = publish_one("[outbox.lanes.nats]\nformat = \"cloudevents-binary\"\n");
    EXPECT_EQ(json::parse(sent.body).at("counter_id").as_string(), "c-1");
    EXPECT_EQ(sent.head.at("ce-specversion"), "1.0");
    EXPECT_EQ(sent.head.at("ce-id"), sent.head.at("Nats-Msg-Id"));
    EXPECT_EQ(sent.head.at("content-type"), "application/json");
}

TEST_F(nats_program, is_asked_by_a_deep_audit_for_what_it_has_confirmed) {
    const auto sent = publish_one();
    const auto audit = [this] {
        const auto result = sluice::testing::run_sluice({"audit", "--deep", "--broker", "nats", "--json"}, settings());
        return std::pair{result.code, json::parse(result.out).at("brokers").at(0).at("at_broker")};
    };
    EXPECT_EQ(audit().first, 0);
    EXPECT_EQ(audit().second.at("present").as_int(), 1);
    EXPECT_THAT(server_.consumers("tiny_counter"), IsEmpty());

    server_.publish("tiny.counter", sent.body);  // without the id that the server knows copies by
    server_.publish("tiny.counter", "not of Sluice", {{"Nats-Msg-Id", "somebody's"}});
    const auto [code, doubled] = audit();
    EXPECT_EQ(code, 1);
    EXPECT_EQ(doubled.at("doubled").as_int(), 1) << json::dump(doubled);
    EXPECT_EQ(doubled.at("missing").as_int(), 0);

    server_.purge_stream("tiny_counter");
    EXPECT_EQ(audit().second.at("expired").as_int(), 1) << "as if its limits had removed it";
    server_.delete_stream("tiny_counter");
    const auto lost = audit().second;
    EXPECT_EQ(lost.at("missing").as_int(), 1) << json::dump(lost);
    EXPECT_EQ(lost.at("faults").at(0).at("stream").as_string(), "tiny::counter-c-1");
}

}  // namespace
}  // namespace sluice::broker::nats_test
