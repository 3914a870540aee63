// Who we are at the server, and whether it is the right one.

#include <filesystem>
#include <fstream>

#include "integration/nats/nats_fixture.hpp"
#include "support/shell.hpp"

namespace sluice::broker::nats_test {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// What one message becomes, with a broker of its own.
std::string sent(nats_options options, duration patience = 20s) {
    options.create_stream = true;
    const auto broker = make_nats_broker(std::move(options));
    return told(publish(*broker->open_publisher(), {{"1"}}, patience)).at(0);
}

/// The same where the server does not let us in, which is tried until our patience is over.
std::string sent_in_vain(nats_options options) { return sent(std::move(options), 4s); }

class nats_login : public ::testing::Test {
protected:
    nats_login() { observe::configure_log({.threshold = observe::level::off}); }
    ~nats_login() override { observe::configure_log({}); }

    [[nodiscard]] std::string file(const char* name) const { return (directory_ / name).native(); }
    void write(const char* name, const std::string& text) const { std::ofstream{directory_ / name} << text; }
    void start(const strings& arguments) { server_.emplace(directory_ / "nats", arguments); }
    [[nodiscard]] std::string uri(const std::string& scheme_and_login = "nats://",
                                  const std::string& host = "127.0.0.1") const {
        return fmt::format("{}{}:{}", scheme_and_login, host, server_->port());
    }

    sluice::testing::temporary_directory directory_;
    std::optional<sluice::testing::nats_server> server_;
};

TEST_F(nats_login, with_user_and_password) {
    start({"--user", "shop", "--pass", "s3cret/@:"});
    EXPECT_EQ(sent({.uri = uri("nats://shop:s3cret%2F%40%3A@")}), "delivered");
    EXPECT_THAT(sent_in_vain({.uri = uri("nats://shop:wr0ng@")}),
                AllOf(StartsWith("unreachable"), HasSubstr("Authorization"), Not(HasSubstr("wr0ng"))));
    EXPECT_THAT(sent_in_vain({.uri = uri()}), StartsWith("unreachable"));
}

TEST_F(nats_login, with_a_token) {
    start({"--auth", "t0ken"});
    EXPECT_EQ(sent({.uri = uri("nats://t0ken@")}), "delivered");
    write("token", "t0ken\n");
    EXPECT_EQ(sent({.uri = uri(), .token_file = file("token")}), "delivered");
    write("token", "other\n");
    EXPECT_THAT(sent_in_vain({.uri = uri(), .token_file = file("token")}),
                AllOf(StartsWith("unreachable"), Not(HasSubstr("other"))));
    EXPECT_THAT(sent_in_vain({.uri = uri(), .token_file = file("nowhere")}), HasSubstr("nowhere"));
}

/// A lane goes on as soon as the server and we agree again, and is not started anew for it.
class nats_changed_login : public nats_login {
protected:
    void let_in(const std::string& whom) {
        write("server.conf", "authorization: { " + whom + " }\n");
        if (server_) {
            server_->stop();
            server_->start_again();
        } else {
            start({"--config", file("server.conf")});
        }
    }
    [[nodiscard]] static bool is_told_as_an_outage(publisher& to, const std::string& id) {
        return sluice::testing::eventually([&] {
            const std::string word = told(publish(to, {{id}}, 1s)).at(0);
            EXPECT_THAT(word, StartsWith("unreachable"));
            return word.find("Authorization") != std::string::npos;
        });
    }
    [[nodiscard]] static std::size_t stored(broker& in) {
        return in.open_reader({"shop::order"}, {.group = "g", .consumer = "c"})->read(0, 10, {}).size();
    }
};

TEST_F(nats_changed_login, by_another_password_is_an_outage_until_it_is_the_old_one) {
    let_in("user: shop, password: first");
    const auto broker = make_nats_broker({.uri = uri("nats://shop:first@"), .create_stream = true});
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"1"}}));
    let_in("user: shop, password: second");
    EXPECT_TRUE(is_told_as_an_outage(*to, "2"));
    let_in("user: shop, password: first");
    EXPECT_TRUE(delivers(*to, {{"2"}}));
    EXPECT_EQ(stored(*broker), 2U);
}

TEST_F(nats_changed_login, by_another_token_is_an_outage_until_the_file_has_it) {
    let_in("token: first");
    write("token", "first\n");
    const auto broker = make_nats_broker({.uri = uri(), .token_file = file("token"), .create_stream = true});
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"1"}}));
    let_in("token: second");
    EXPECT_TRUE(is_told_as_an_outage(*to, "2"));
    write("token", "second\n");
    EXPECT_TRUE(delivers(*to, {{"2"}}));
    EXPECT_EQ(stored(*broker), 2U);
}

TEST_F(nats_login, with_an_nkey) {
    // A pair that NATS's own documentation shows.
    const std::string key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
    write("server.conf", fmt::format("authorization: {{ users: [ {{ nkey: {} }} ] }}\n", key));
    write("seed", "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY");
    start({"--config", file("server.conf")});
    EXPECT_EQ(sent({.uri = uri(), .nkey = key, .nkey_seed_file = file("seed")}), "delivered");
    EXPECT_THAT(sent_in_vain({.uri = uri()}), StartsWith("unreachable"));
}

TEST_F(nats_login, without_the_right_to_publish_is_an_outage_that_says_so) {
    write(
        "server.conf",
        "authorization: { users: [ { user: shop, password: pw, permissions: { publish: { deny: \"shop.>\" } } } ] }\n");
    start({"--config", file("server.conf")});
    EXPECT_THAT(sent_in_vain({.uri = uri("nats://shop:pw@")}),
                AllOf(StartsWith("unreachable"), HasSubstr("ermission")));
}

TEST_F(nats_login, tries_each_host_of_the_address) {
    start({});
    const std::string hosts = fmt::format("nats://127.0.0.1:1,127.0.0.1:{}", server_->port());
    EXPECT_EQ(sent({.uri = hosts}), "delivered");
}

class nats_tls : public nats_login {
protected:
    nats_tls() {
        const auto openssl = [](const std::string& arguments) { sluice::testing::run_command("openssl " + arguments); };
        for (const auto* ca : {"ca", "other-ca"}) {
            openssl(
                fmt::format("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={} "
                            "-keyout {}.key -out {}.pem",
                            ca, file(ca), file(ca)));
        }
        for (const auto& [name, extension] : {std::pair{"server", "subjectAltName=DNS:nats.example"},
                                              std::pair{"client", "subjectAltName=DNS:shop.example"}}) {
            openssl(
                fmt::format("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={} -keyout {}.key -out "
                            "{}.csr",
                            name, file(name), file(name)));
            write((name + std::string{"-san"}).c_str(), extension);
            openssl(
                fmt::format("x509 -req -days 2 -in {0}.csr -CA {1}.pem -CAkey {1}.key -CAcreateserial -extfile {2} "
                            "-out {0}.pem",
                            file(name), file("ca"), file(name) + "-san"));
        }
    }
    [[nodiscard]] strings with_tls() const {
        return {"--tls", "--tlscert", file("server.pem"), "--tlskey", file("server.key")};
    }
};

TEST_F(nats_tls, trusts_who_is_called_as_expected) {
    start(with_tls());
    const std::string at = uri("tls://");
    EXPECT_EQ(sent({.uri = at, .tls = {.ca_file = file("ca.pem")}, .tls_server_name = "nats.example"}), "delivered");
    EXPECT_THAT(sent_in_vain({.uri = at, .tls = {.ca_file = file("ca.pem")}}), StartsWith("unreachable"))
        << "the certificate names another host";
    EXPECT_THAT(sent_in_vain({.uri = at, .tls = {.ca_file = file("other-ca.pem")}, .tls_server_name = "nats.example"}),
                StartsWith("unreachable"));
    EXPECT_THAT(sent_in_vain({.uri = at, .tls_server_name = "nats.example"}), StartsWith("unreachable"));
    EXPECT_EQ(sent({.uri = at, .tls = {.verify = false}}), "delivered");
}

TEST_F(nats_tls, shows_its_own_certificate_and_reads_it_anew_for_each_connection) {
    auto arguments = with_tls();
    arguments.insert(arguments.end(), {"--tlsverify", "--tlscacert", file("ca.pem")});
    start(arguments);
    nats_options options{.uri = uri("tls://"), .tls = {.ca_file = file("ca.pem")}, .tls_server_name = "nats.example"};
    EXPECT_THAT(sent_in_vain(options), StartsWith("unreachable"));
    options.tls.certificate_file = file("mine.pem");
    options.tls.key_file = file("mine.key");
    options.create_stream = true;
    const auto broker = make_nats_broker(options);
    const auto to = broker->open_publisher();
    EXPECT_THAT(told(publish(*to, {{"1"}}, 1s)).at(0), AllOf(StartsWith("unreachable"), HasSubstr("mine.pem")));
    std::filesystem::copy(file("client.pem"), file("mine.pem"));
    std::filesystem::copy(file("client.key"), file("mine.key"));
    EXPECT_TRUE(delivers(*to, {{"1"}}));
}

TEST_F(nats_tls, trusts_the_authorities_that_the_file_has_now) {
    start(with_tls());
    const auto trusted = directory_ / "trusted.pem";
    std::filesystem::copy_file(file("ca.pem"), trusted);
    const auto broker = make_nats_broker(
        {.uri = uri("tls://"), .tls = {.ca_file = trusted}, .tls_server_name = "nats.example", .create_stream = true});
    const auto to = broker->open_publisher();
    ASSERT_TRUE(delivers(*to, {{"1"}}));
    // The server gets a certificate of another authority.
    sluice::testing::run_command(
        fmt::format("openssl x509 -req -days 2 -in {0}.csr -CA {1}.pem -CAkey {1}.key -CAcreateserial -extfile {2} "
                    "-out {0}.pem",
                    file("server"), file("other-ca"), file("server-san")));
    server_->stop();
    server_->start_again();
    EXPECT_TRUE(sluice::testing::eventually([&] {
        const std::string word = told(publish(*to, {{"2"}}, 1s)).at(0);
        EXPECT_THAT(word, StartsWith("unreachable"));
        return word.find("certificate") != std::string::npos;
    }));
    std::filesystem::copy_file(file("other-ca.pem"), trusted, std::filesystem::copy_options::overwrite_existing);
    EXPECT_TRUE(delivers(*to, {{"2"}})) << "without a restart";
}

}  // namespace
}  // namespace sluice::broker::nats_test
