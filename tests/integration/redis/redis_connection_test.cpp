#include <sluice/error.hpp>

#include "integration/redis/redis_fixture.hpp"
#include "support/consumer.hpp"
#include "support/shell.hpp"
#include "support/tcp_gate.hpp"

namespace sluice::broker::redis_test {
namespace {

using sluice::testing::tcp_gate;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using steady = std::chrono::steady_clock;

/// Every way in which a network can fail, with the deadlines that must hold.
class redis_bad_network : public redis_test {
protected:
    redis_options over_gate() const {
        redis_options options{.uri = fmt::format("redis://127.0.0.1:{}", gate_.port())};
        options.connect_timeout = seconds{1};
        options.answer_timeout = seconds{1};
        return options;
    }
    /// Publishing and reading fail within their time, and both come back by themselves, with nothing lost.
    void survives(const std::function<void()>& trouble) {
        const auto broker = connect(over_gate());
        const auto to = broker->open_publisher();
        const auto from = sluice::testing::open_consumer(*broker, order_stream, {.group = "g", .consumer = "c"});
        ASSERT_TRUE(is<delivered>(publish(*to, {{"m1"}}, lane_).at(0)));
        ASSERT_EQ(from->read(10, now_).size(), 1U);

        trouble();
        const auto begin = steady::now();
        EXPECT_TRUE(is<unreachable>(publish(*to, {{"m2"}}, lane_, milliseconds{300}).at(0)));
        EXPECT_NE(to->probe(milliseconds{300}), "");
        try {
            static_cast<void>(from->read(10, now_));
            ADD_FAILURE() << "reading should have failed";
        } catch (const broker_error& expected) {
            EXPECT_TRUE(expected.retryable());
        }
        base::wake_signal signal;
        EXPECT_EQ(from->wait(signal, milliseconds{50}), base::wake_reason::timed_out);
        EXPECT_LT(steady::now() - begin, seconds{30});

        gate_.open();
        ASSERT_TRUE(eventually([&] { return is<delivered>(publish(*to, {{"m2"}}, lane_).at(0)); }));
        strings got;
        ASSERT_TRUE(eventually([&] {
            try {
                for (const auto& d : from->read(10, now_)) got.push_back(d.body);
            } catch (const broker_error&) {
                return false;
            }
            return !got.empty();
        }));
        EXPECT_THAT(got, ElementsAre(HasSubstr("\"m2\"")));
        EXPECT_THAT(ids_in(), ElementsAre("m1", "m2"));
    }

    tcp_gate gate_{server_.port()};
    const producer lane_{"db/partner", 1};
    const date_time now_ = system_clock().now();
};

TEST_F(redis_bad_network, refuses) {
    survives([&] { gate_.refuse(true); });
}

TEST_F(redis_bad_network, accepts_and_never_answers) {
    survives([&] { gate_.stall(true); });
}

TEST_F(redis_bad_network, drips_byte_after_byte) {
    survives([&] { gate_.drip(milliseconds{100}); });
}

TEST_F(redis_bad_network, half_closes) {
    survives([&] {
        gate_.half_close();
        ASSERT_TRUE(eventually([] { return true; }));
    });
}

TEST_F(redis_bad_network, cuts_in_the_middle_of_a_reply) {
    const auto broker = connect(over_gate());
    const auto to = broker->open_publisher();
    for (std::size_t bytes = 1; bytes < 60; bytes += 7) {
        gate_.cut_after(bytes);
        const auto id = fmt::format("m{}", bytes);
        ASSERT_TRUE(eventually([&] { return is<delivered>(publish(*to, {{id}}, lane_).at(0)); }));
    }
    EXPECT_THAT(ids_in(), ElementsAre("m1", "m8", "m15", "m22", "m29", "m36", "m43", "m50", "m57"));
}

TEST_F(redis_bad_network, is_merely_slow) {
    gate_.delay(milliseconds{20});
    const auto broker = connect(over_gate());
    const auto to = broker->open_publisher();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(is<delivered>(publish(*to, {{fmt::format("m{}", i)}}, lane_).at(0)));
    EXPECT_EQ(ids_in().size(), 5U);
}

// All that is there takes seven times as long as an answer may keep silent.
TEST_F(redis_bad_network, is_slow_and_carries_large_messages_all_the_same) {
    std::vector<note> notes;
    for (int i = 0; i < 40; ++i) {
        notes.push_back({fmt::format("m{}", i), "k", order_stream, std::string(100'000, 'x')});
    }
    for (const auto& v : publish(*connect()->open_publisher(), notes, lane_)) ASSERT_TRUE(is<delivered>(v));
    gate_.throttle(2'000'000);
    auto impatient = over_gate();
    impatient.answer_timeout = milliseconds{300};
    const auto from =
        sluice::testing::open_consumer(*connect(impatient), order_stream, {.group = "g", .consumer = "c"});
    std::size_t got = 0;
    ASSERT_TRUE(eventually(
        [&] {
            try {
                strings done;
                for (const auto& d : from->read(100, now_)) done.push_back(d.entry);
                got += done.size();
                from->ack(done);
            } catch (const broker_error&) {
                return false;  // the machine may be slow, too
            }
            return got == 40;
        },
        seconds{60}));
}

TEST_F(redis_bad_network, a_frozen_server_costs_the_connect_timeout) {
    server_.freeze();
    const auto to = connect(over_gate())->open_publisher();
    const auto begin = steady::now();
    EXPECT_TRUE(is<unreachable>(publish(*to, {{"m1"}}, lane_).at(0)));
    EXPECT_LT(steady::now() - begin, seconds{8});
    server_.thaw();
    EXPECT_TRUE(is<delivered>(publish(*to, {{"m1"}}, lane_).at(0)));
}

TEST_F(redis_bad_network, a_stop_wakes_a_consumer_whose_server_hangs) {
    const auto from =
        sluice::testing::open_consumer(*connect(over_gate()), order_stream, {.group = "g", .consumer = "c"});
    ASSERT_THAT(from->read(10, now_), IsEmpty());
    base::wake_signal signal;
    EXPECT_EQ(from->wait(signal, milliseconds{1}), base::wake_reason::timed_out);
    gate_.stall(true);
    const std::jthread other{[&] { signal.notify(); }};
    EXPECT_EQ(from->wait(signal, testing::long_enough), base::wake_reason::signalled);
}

TEST_F(redis_bad_network, a_publisher_in_a_hurry_waits_no_longer_than_it_is_told) {
    gate_.stall(true);
    auto patient = over_gate();
    patient.connect_timeout = seconds{60};
    const auto broker = connect(patient);
    const auto to = broker->open_publisher();
    std::jthread hurrying{[&] {
        std::this_thread::sleep_for(milliseconds{50});
        to->hurry(milliseconds{50});
    }};
    const auto begin = steady::now();
    EXPECT_TRUE(is<unreachable>(publish(*to, {{"m1"}}, lane_, seconds{60}).at(0)));
    EXPECT_GE(steady::now() - begin, milliseconds{100});
    EXPECT_NE(to->probe(seconds{60}), "") << "from then on";
    EXPECT_LT(steady::now() - begin, seconds{50});
}

TEST_F(redis_bad_network, names_the_host_that_has_no_address) {
    const auto to = connect({.uri = "redis://no-such-host.invalid"})->open_publisher();
    EXPECT_THAT(told(publish(*to, {{"m"}}, lane_, seconds{8}).at(0)), HasSubstr("no-such-host.invalid"));
}

class redis_account : public redis_test {};

TEST_F(redis_account, logs_in_with_user_and_password) {
    server_.cli({"acl", "setuser", "app", "on", ">p@ss:w/rd", "~*", "+@all"});
    server_.cli({"acl", "setuser", "default", "off"});
    const auto uri = [&](const char* login) { return fmt::format("redis://{}@127.0.0.1:{}", login, server_.port()); };
    const auto good = connect({.uri = uri("app:p%40ss%3Aw%2Frd")});
    EXPECT_TRUE(is<delivered>(publish(*good->open_publisher(), {{"m1"}}, {"l", 1}).at(0)));
    EXPECT_THAT(good->describe(), Not(HasSubstr("ss")));

    for (const auto* login : {"app:wrong-secret", ":wrong-secret"}) {
        const auto no = told(publish(*connect({.uri = uri(login)})->open_publisher(), {{"m"}}, {"l", 1}).at(0));
        EXPECT_THAT(no, HasSubstr("unreachable: redis 127.0.0.1:"));
        EXPECT_THAT(no, HasSubstr("user and password"));
        EXPECT_THAT(no, Not(HasSubstr("secret")));
    }
    const auto nobody = told(publish(*connect()->open_publisher(), {{"m"}}, {"l", 1}).at(0));
    EXPECT_THAT(nobody, HasSubstr("NOAUTH"));
}

TEST_F(redis_account, is_told_what_the_server_may_lose) {
    const auto codes = [](broker& of) {
        strings found;
        for (const auto& each : of.hazards()) found.push_back(each.code);
        return found;
    };
    server_.cli({"config", "set", "maxmemory", "100mb"});
    server_.cli({"config", "set", "maxmemory-policy", "allkeys-lru"});
    server_.cli({"config", "set", "appendonly", "no"});
    server_.cli({"config", "set", "save", ""});
    EXPECT_THAT(codes(*connect()), ElementsAre("REDIS_EVICTS", "REDIS_WITHOUT_PERSISTENCE"));
    server_.cli({"acl", "setuser", "app", "on", ">pw", "~*", "+@all", "-info", "-config"});
    const auto silent = connect({.uri = fmt::format("redis://app:pw@127.0.0.1:{}", server_.port())});
    EXPECT_THAT(codes(*silent), ElementsAre("REDIS_NOT_ASKED"));
    server_.stop();
    EXPECT_THROW(static_cast<void>(connect()->hazards()), broker_error);
}

TEST_F(redis_account, uses_the_old_password_only_login) {
    server_.cli({"config", "set", "requirepass", "pw"});
    const auto to = connect({.uri = fmt::format("redis://:pw@127.0.0.1:{}", server_.port())})->open_publisher();
    EXPECT_TRUE(is<delivered>(publish(*to, {{"m1"}}, {"l", 1}).at(0)));
}

TEST_F(redis_account, uses_the_database_number) {
    const auto in_three = connect({.uri = server_.uri() + "/3"});
    EXPECT_TRUE(is<delivered>(publish(*in_three->open_publisher(), {{"m1"}}, {"l", 1}).at(0)));
    EXPECT_EQ(server_.cli({"-n", "3", "xlen", order_stream}), "1");
    EXPECT_EQ(server_.cli({"exists", order_stream}), "0");
    EXPECT_THAT(in_three->describe(), HasSubstr("/3"));
    const auto beyond = connect({.uri = server_.uri() + "/99"});
    EXPECT_THAT(told(publish(*beyond->open_publisher(), {{"m1"}}, {"l", 1}).at(0)), HasSubstr("database number"));
}

TEST_F(redis_account, connects_through_a_unix_socket) {
    const auto broker = connect({.uri = "unix://" + server_.socket().native() + "?db=2"});
    EXPECT_TRUE(is<delivered>(publish(*broker->open_publisher(), {{"m1"}}, {"l", 1}).at(0)));
    EXPECT_EQ(server_.cli({"-n", "2", "xlen", order_stream}), "1");
    server_.stop();
    EXPECT_THAT(broker->open_publisher()->probe(seconds{1}), HasSubstr("cannot connect"));
}

/// A server with a certificate of our own making, for the address 127.0.0.1 and no name; it wants to see ours as well.
class redis_tls_server : public ::testing::Test {
protected:
    redis_tls_server() {
        observe::configure_log({.threshold = observe::level::off});
        const auto in = [&](const char* file) { return sluice::testing::shell_word((directory_ / file).native()); };
        const auto openssl = [](const std::string& arguments) { sluice::testing::run_command("openssl " + arguments); };
        for (const auto* ca : {"ca", "other-ca"}) {
            openssl(
                fmt::format("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={} "
                            "-keyout {} -out {}",
                            ca, in((std::string{ca} + ".key").c_str()), in((std::string{ca} + ".pem").c_str())));
        }
        openssl(fmt::format("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=redis -keyout {} -out {}",
                            in("server.key"), in("server.csr")));
        sluice::testing::run_command(fmt::format(
            "printf 'subjectAltName=IP:127.0.0.1' > {} && openssl x509 -req -days 2 -in {} -CA {} -CAkey {} "
            "-CAcreateserial -extfile {} -out {}",
            in("san"), in("server.csr"), in("ca.pem"), in("ca.key"), in("san"), in("server.pem")));
        // TLS in place of the plain port: `--tls-port` takes the port that --port has, which is then 0.
        const auto file = [&](const char* name) { return (directory_ / name).native(); };
        server_.emplace(directory_ / "redis",
                        strings{"--tls-cert-file", file("server.pem"), "--tls-key-file", file("server.key"),
                                "--tls-ca-cert-file", file("ca.pem"), "--tls-auth-clients", "optional"});
        server_->cli({"config", "set", "port", "0"});
        server_->cli({"config", "set", "tls-port", std::to_string(server_->port())});
    }
    ~redis_tls_server() override { observe::configure_log({}); }

    std::string send(redis_options options, const char* host = "127.0.0.1") {
        options.uri = fmt::format("rediss://{}:{}", host, server_->port());
        return told(publish(*make_redis_broker(std::move(options))->open_publisher(), {{"m"}}, {"l", 1}).at(0));
    }

    sluice::testing::temporary_directory directory_;
    std::optional<sluice::testing::redis_server> server_;
};

TEST_F(redis_tls_server, publishes_and_consumes_over_tls) {
    const auto broker = make_redis_broker({.uri = fmt::format("rediss://127.0.0.1:{}?ssl_ca_certs={}", server_->port(),
                                                              (directory_ / "ca.pem").native())});
    const auto to = broker->open_publisher();
    std::vector<note> notes;
    for (int i = 0; i < 300; ++i) notes.push_back({fmt::format("m{}", i), "k", order_stream, std::string(10'000, 'x')});
    for (const auto& v : publish(*to, notes, {"l", 1})) ASSERT_TRUE(is<delivered>(v)) << told(v);

    const auto from = sluice::testing::open_consumer(*broker, order_stream, {.group = "g", .consumer = "c"});
    const auto got = from->read(1000, system_clock().now());
    EXPECT_EQ(got.size(), 300U);
    EXPECT_EQ(got.back().body, notes.back().body);
    base::wake_signal signal;
    EXPECT_EQ(from->wait(signal, milliseconds{20}), base::wake_reason::timed_out);
    static_cast<void>(publish(*to, {{"one more"}}, {"l", 1}));
    EXPECT_EQ(from->wait(signal, seconds{20}), base::wake_reason::file_changed);
    EXPECT_THAT(broker->describe(), HasSubstr("TLS"));
}

TEST_F(redis_tls_server, trusts_only_the_named_authority_and_the_named_host) {
    EXPECT_EQ(send({.tls = {.ca_file = directory_ / "ca.pem"}}), "delivered");
    EXPECT_THAT(send({.tls = {.ca_file = directory_ / "other-ca.pem"}}), HasSubstr("certificate is not accepted"));
    EXPECT_THAT(send({}), HasSubstr("certificate is not accepted")) << "the system knows nothing of it";
    EXPECT_THAT(send({.tls = {.ca_file = directory_ / "ca.pem"}}, "localhost"),
                HasSubstr("certificate is not accepted"));
    EXPECT_EQ(send({.tls = {.verify = false}}, "localhost"), "delivered");
}

TEST_F(redis_tls_server, shows_its_own_certificate) {
    server_->cli({"config", "set", "tls-auth-clients", "yes"});
    const net::tls_trust anonymous{.ca_file = directory_ / "ca.pem"};
    EXPECT_THAT(send({.tls = anonymous}), HasSubstr("unreachable"));
    const net::tls_trust named{.ca_file = directory_ / "ca.pem",
                               .certificate_file = directory_ / "server.pem",
                               .key_file = directory_ / "server.key"};
    EXPECT_EQ(send({.tls = named}), "delivered");
}

TEST_F(redis_tls_server, is_trusted_by_the_files_as_they_are_now) {
    const auto trusted = directory_ / "trusted.pem";
    std::filesystem::copy_file(directory_ / "other-ca.pem", trusted);
    redis_options options{.uri = fmt::format("rediss://127.0.0.1:{}", server_->port()), .tls = {.ca_file = trusted}};
    const auto to = make_redis_broker(std::move(options))->open_publisher();
    EXPECT_THAT(told(publish(*to, {{"m1"}}, {"l", 1}).at(0)), HasSubstr("certificate is not accepted"));
    std::filesystem::copy_file(directory_ / "ca.pem", trusted, std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(told(publish(*to, {{"m1"}}, {"l", 1}).at(0)), "delivered") << "without a restart";
    std::filesystem::remove(trusted);
    server_->cli({"client", "kill", "type", "normal"});
    EXPECT_THAT(told(publish(*to, {{"m2"}}, {"l", 1}).at(0)), HasSubstr("unreachable")) << "an outage, no refusal";
    std::filesystem::copy_file(directory_ / "ca.pem", trusted);
    EXPECT_EQ(told(publish(*to, {{"m2"}}, {"l", 1}).at(0)), "delivered");
}

TEST_F(redis_tls_server, is_not_reached_without_tls) {
    const auto uri = fmt::format("redis://127.0.0.1:{}", server_->port());
    const auto to = make_redis_broker({.uri = uri, .connect_timeout = seconds{1}})->open_publisher();
    EXPECT_THAT(told(publish(*to, {{"m"}}, {"l", 1}).at(0)), HasSubstr("unreachable"));
}

TEST(redis_tls_files, are_checked_when_the_broker_is_made) {
    EXPECT_THROW(static_cast<void>(make_redis_broker({.uri = "rediss://h", .tls = {.ca_file = "/nowhere/ca.pem"}})),
                 configuration_error);
    EXPECT_THROW(static_cast<void>(make_redis_broker({.uri = "http://h"})), configuration_error);
}

}  // namespace
}  // namespace sluice::broker::redis_test
