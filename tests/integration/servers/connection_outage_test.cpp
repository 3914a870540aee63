// A whole service whose way into its servers is barred, in each way that an operator or a calendar can bar it: what is
// configured was right yesterday. Nothing of it may count against a message.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sluice/sluice.hpp>

#include "base/random.hpp"
#include "broker/redis/redis_broker.hpp"
#include "command/invocation.hpp"
#include "commit/environment.hpp"
#include "engine/engine.hpp"
#include "observe/log.hpp"
#include "store/postgresql/postgresql_database.hpp"
#include "support/captured_log.hpp"
#include "support/eventually.hpp"
#include "support/postgresql_server.hpp"
#include "support/redis_server.hpp"
#include "support/shell.hpp"
#include "support/temporary_directory.hpp"

namespace kiosk {

class Order;

struct OrderTaken {
    static constexpr sluice::event_of<Order> contract{.published = true};
    sluice::identifier order_id;
};
struct OrderClosed {
    static constexpr sluice::event_of<Order> contract{.published = true};
    sluice::identifier order_id;
};

class Order : public sluice::aggregate<Order> {
public:
    Order() = default;
    explicit Order(sluice::identifier id) : order_id_{std::move(id)} { raise(OrderTaken{.order_id = order_id_}); }
    void close() { raise(OrderClosed{.order_id = order_id_}); }

private:
    sluice::identifier order_id_;
    BOOST_DESCRIBE_CLASS(Order, (), (), (), (order_id_))
};

struct TakeOrder {
    static constexpr sluice::command_of<Order> contract{};
    sluice::identifier order_id;
};
struct CloseOrder {
    static constexpr sluice::command_of<Order> contract{};
    sluice::identifier order_id;
};

struct commands {
    void operator()(const TakeOrder& c, sluice::context& in) const { in.repository<Order>().add(Order{c.order_id}); }
    void operator()(const CloseOrder& c, sluice::context& in) const {
        in.repository<Order>().get(c.order_id.str()).close();
    }
};

/// Takes what partners order.
struct order_desk {
    void operator()(const sluice::message& m, sluice::context& in) const {
        in.process(TakeOrder{.order_id = m.data().at("order_id").as_string()});
    }
};

/// Closes each order after a moment.
class Shift : public sluice::process_manager<Shift> {
public:
    void on(const OrderTaken&, sluice::context&) { in_time("closing", std::chrono::milliseconds{100}); }
    void on(const sluice::timeout&, sluice::context& in) { in.process(CloseOrder{.order_id = correlation()}); }
    void on(const OrderClosed&, sluice::context&) {}

private:
    BOOST_DESCRIBE_CLASS(Shift, (), (), (), ())
};

sluice::domain make_domain() {
    sluice::domain domain{"kiosk"};
    domain.aggregate<Order>().events<OrderTaken, OrderClosed>();
    domain.command_handler<commands, TakeOrder, CloseOrder>();
    domain.subscriber<order_desk>({.broker = "default", .stream = "abroad::order"});
    domain.process_manager<Shift>()
        .starts<OrderTaken>(&OrderTaken::order_id)
        .completes<OrderClosed>(&OrderClosed::order_id);
    return domain;
}

}  // namespace kiosk

namespace sluice::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr auto password = "op3n-sesame";

/// Certificates of two authorities for this machine: one that is good, one that was, and one of the other authority.
class certificates {
public:
    explicit certificates(std::filesystem::path directory) : directory_{std::move(directory)} {
        constexpr auto key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        std::filesystem::create_directories(directory_);
        std::ofstream{directory_ / "san"} << "subjectAltName=DNS:localhost,IP:127.0.0.1";
        for (const char* ca : {"ca", "other-ca"}) {
            openssl(fmt::format("req -x509 {0} -days 2 -subj /CN={1} -keyout {1}.key -out {1}.pem", key, ca));
        }
        openssl(fmt::format("req {} -subj /CN=localhost -keyout server.key -out server.csr", key));
        sign("good", "ca", 2);
        sign("expired", "ca", -1);
        sign("strange", "other-ca", 2);
    }

    [[nodiscard]] std::string file(const std::string& name) const { return (directory_ / name).native(); }

private:
    void openssl(const std::string& arguments) const {
        run_command("cd " + shell_word(directory_.native()) + " && openssl " + arguments);
    }
    void sign(const char* name, const char* ca, int days) const {
        openssl(
            fmt::format("x509 -req -days {0} -in server.csr -CA {1}.pem -CAkey {1}.key -CAcreateserial -extfile san "
                        "-out {2}.pem",
                        days, ca, name));
    }

    std::filesystem::path directory_;
};

enum class place : std::uint8_t { database, brokers };

/// One way to bar the way.
struct barrier {
    const char* name;
    std::function<void()> begin;
    std::function<void()> end;
    const char* reason;        ///< a part of what is shown
    bool is_of_lanes = false;  ///< one that subscriptions do not notice
    place of = place::database;
};

/// A service that takes orders from abroad, closes each after a moment and tells a partner of both.
class kiosk_service {
public:
    kiosk_service(store::postgresql_options where, const broker::redis_options& inside,
                  const broker::redis_options& abroad) {
        configuration_.outbox.external_brokers = {"partner"};
        configuration_.outbox.max_probe_interval_seconds = 0.5;
        // The first attempt that counts is the last.
        configuration_.outbox.retry.max_attempts = 1;
        // A stream that is closed to us costs no attempt, and is tried again after this time.
        configuration_.outbox.retry.base_delay_seconds = 0.5;
        configuration_.server.subscription.max_retries = 1;
        commit::adapters parts;
        parts.databases.emplace("default", store::make_postgresql_database(std::move(where)));
        parts.brokers.emplace("default", broker::make_redis_broker(inside));
        parts.brokers.emplace("partner", broker::make_redis_broker(abroad));
        domain_.validate();
        env_ = std::make_unique<commit::environment>(domain_.declared(), configuration_, parts, system_clock(),
                                                     base::system_random());
        engine_ = std::make_unique<engine::engine>(*env_);
        engine_->start();
    }

    /// A subscription waits for a server now, and says why.
    [[nodiscard]] bool shows(std::string_view reason) const {
        const auto all = engine_->status();
        return std::any_of(all.begin(), all.end(), [&](const auto& each) {
            return (each.state == "paused" || each.state == "disconnected") &&
                   each.detail.find(reason) != std::string::npos;
        });
    }
    /// For people.
    [[nodiscard]] std::string states() const {
        std::string all;
        for (const auto& each : engine_->status()) {
            all += fmt::format("\n{} is {}: {}", each.name, each.state, each.detail);
        }
        return all;
    }
    [[nodiscard]] int restarts() const {
        int sum = 0;
        for (const auto& each : engine_->status()) sum += each.restarts;
        return sum;
    }

private:
    domain domain_ = kiosk::make_domain();
    config::configuration configuration_;
    std::unique_ptr<commit::environment> env_;
    std::unique_ptr<engine::engine> engine_;
};

/// The servers, with an account of the service's own, over TLS, and an operator who gets in whatever happens.
class connection_outage : public ::testing::Test {
protected:
    connection_outage() {
        for (const char* who : {"postgres", "sluice"}) login_ += fmt::format("host all {} 127.0.0.1/32 trust\n", who);
        postgres_.control(fmt::format("certificate {} {}", tls_.file("good.pem"), tls_.file("server.key")));
        admin("ALTER SYSTEM SET ssl = on");
        admin(fmt::format("CREATE ROLE kiosk LOGIN PASSWORD '{}'", password));
        write_login("scram-sha-256");
        write_service("localhost");
        ::setenv("PGSERVICEFILE", service_file().c_str(), 1);
        set_up_database();
        redis_.cli({"config", "set", "port", "0"});
        redis_.cli({"config", "set", "tls-port", std::to_string(redis_.port())});
        redis_.cli({"acl", "setuser", "kiosk", "on", fmt::format(">{}", password), "~*", "&*", "+@all"});
    }
    ~connection_outage() override { ::unsetenv("PGSERVICEFILE"); }

    void admin(const std::string& sql) const { postgresql::session{postgres_.uri()}.execute(sql); }
    void admin_elsewhere(const std::string& sql) const {
        auto uri = postgres_.uri();
        postgresql::session{uri.replace(uri.rfind('/'), std::string::npos, "/postgres")}.execute(sql);
    }
    void end_sessions() const {
        admin_elsewhere(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename IN ('kiosk', 'away')");
    }
    void set_up_database() const {
        looking_->setup();
        admin("GRANT USAGE, CREATE ON SCHEMA kiosk TO kiosk");
        grant();
    }
    void grant() const {
        admin("GRANT ALL ON ALL TABLES IN SCHEMA kiosk TO kiosk");
        admin("GRANT ALL ON ALL SEQUENCES IN SCHEMA kiosk TO kiosk");
    }
    /// @param how  the service may come in
    void write_login(const std::string& how) const {
        std::ofstream{login_file()} << login_ << "hostssl all kiosk 127.0.0.1/32 " << how << "\n";
        postgres_.control("login " + login_file());
    }
    void write_service(const std::string& host) const {
        std::ofstream{service_file()} << "[kiosk]\nhost=" << host << "\nport=" << postgres_.port() << "\n";
    }
    void show_certificate(const std::string& name) const {
        postgres_.control(fmt::format("certificate {} {}", tls_.file(name + ".pem"), tls_.file("server.key")));
    }
    void show_redis_certificate(const std::string& name) const {
        redis_.cli({"config", "set", "tls-cert-file", tls_.file(name + ".pem")});
    }
    [[nodiscard]] std::string login_file() const { return (directory_ / "pg_hba.conf").native(); }
    [[nodiscard]] std::string service_file() const { return (directory_ / "pg_service.conf").native(); }

    [[nodiscard]] store::postgresql_options database() const {
        return {.conninfo = fmt::format("postgresql://kiosk:{}@/test?service=kiosk&sslmode=verify-full&sslrootcert={}",
                                        password, tls_.file("ca.pem")),
                .schema = "kiosk",
                .connect_timeout = 2s};
    }
    [[nodiscard]] broker::redis_options broker(int number) const {
        return {.uri = fmt::format("rediss://kiosk:{}@localhost:{}/{}", password, redis_.port(), number),
                .tls = {.ca_file = tls_.file("ca.pem")}};
    }

    void arrives(const std::string& order) {
        const auto id = "order-" + order;
        const auto body =
            fmt::format(R"({{"data":{{"order_id":"{0}"}},"metadata":{{"headers":{{"id":"{1}","type":"Abroad.Order.v1",)"
                        R"("stream":"abroad::order-{0}"}}}}}})",
                        order, id);
        redis_.cli({"xadd", "abroad::order", "*", "data", body});
        orders_.push_back(order);
    }
    /// How many events the partner was told of, as far as anybody can look.
    [[nodiscard]] std::size_t told() const {
        try {
            return redis_.message_ids("kiosk::order", 1).size();
        } catch (const std::runtime_error&) {
            return 0;
        }
    }

    /// Bars the way while one order is half done, and clears it. Another one comes before, or when all are outside.
    /// @param disconnect  ends the connections that are there
    void suffer(const barrier& from, const kiosk_service& service, const std::function<void()>& disconnect) {
        SCOPED_TRACE(from.name);
        captured_log log;
        const auto second = fmt::format("{}-2", from.name);
        arrives(fmt::format("{}-1", from.name));
        ASSERT_TRUE(eventually([&] { return told() + 1 >= 2 * orders_.size(); }, 60s)) << "taken, and not closed yet";
        if (from.of == place::brokers) arrives(second);
        from.begin();
        disconnect();
        if (from.of == place::database) arrives(second);
        // A server notices a moment later that its configuration has changed.
        EXPECT_TRUE(eventually([&] {
            if (from.is_of_lanes ? lane_shows(from.reason) : service.shows(from.reason)) return true;
            disconnect();
            return false;
        }));
        from.end();
        const auto is_over = [&] { return told() >= 2 * orders_.size() && !service.shows(from.reason); };
        const auto what_is = [&] {
            return fmt::format("{} of {} events were told{}{}", told(), 2 * orders_.size(), service.states(),
                               lane_states());
        };
        EXPECT_TRUE(eventually(is_over, 60s)) << what_is();
        const auto shown = log.text();
        // Of a pause the log tells how it began, and that may have been the disconnection.
        if (!from.is_of_lanes) {
            EXPECT_THAT(shown, HasSubstr(from.reason));
        }
        EXPECT_THAT(shown, Not(HasSubstr(password)));
    }
    [[nodiscard]] std::string lane_states() const {
        std::string all;
        for (const auto& each : looking_->open_operations()->lanes()) {
            all += fmt::format("\n{} is {}: {}", each.lane, each.state, each.detail);
        }
        return all;
    }
    /// As `sluice status` does. A lane that has lost the database cannot tell there.
    [[nodiscard]] bool lane_shows(std::string_view reason) const {
        try {
            const auto lanes = looking_->open_operations()->lanes();
            return std::any_of(lanes.begin(), lanes.end(),
                               [&](const auto& each) { return each.detail.find(reason) != std::string::npos; });
        } catch (const store_error&) {
            return false;
        }
    }
    void expect_that_nothing_counted(const kiosk_service& service) const {
        std::map<std::string, int> times;
        for (const auto& id : redis_.message_ids("kiosk::order", 1)) ++times[id];
        EXPECT_EQ(times.size(), 2 * orders_.size());
        for (const auto& [id, count] : times) EXPECT_EQ(count, 1) << id;
        for (const auto& row : looking_->open_operations()->list({.limit = 1'000'000})) {
            EXPECT_NE(row.status, store::row_status::abandoned) << row.message_id;
            EXPECT_EQ(row.retry_count, 0) << row.message_id << ": " << row.last_error;
        }
        const auto inside = broker::make_redis_broker({.uri = "unix://" + redis_.socket().native()});
        EXPECT_THAT(inside->open_operations()->dead_letters({}), IsEmpty());
        EXPECT_EQ(service.restarts(), 0);
    }

    temporary_directory directory_;
    certificates tls_{directory_ / "tls"};
    postgresql::server postgres_ = postgresql::server::own();
    redis_server redis_{directory_ / "redis",
                        {"--tls-cert-file", tls_.file("good.pem"), "--tls-key-file", tls_.file("server.key"),
                         "--tls-ca-cert-file", tls_.file("ca.pem"), "--tls-auth-clients", "no"}};
    std::shared_ptr<store::database> looking_ =
        store::make_postgresql_database({.conninfo = postgres_.uri(), .schema = "kiosk"});
    std::string login_;
    std::vector<std::string> orders_;
};

TEST_F(connection_outage, of_the_database_counts_against_no_message) {
    const std::vector<barrier> barriers{
        {"password_changed", [&] { admin("ALTER ROLE kiosk PASSWORD 'other'"); },
         [&] { admin(fmt::format("ALTER ROLE kiosk PASSWORD '{}'", password)); }, "password authentication failed"},
        {"role_renamed", [&] { admin("ALTER ROLE kiosk RENAME TO away"); },
         [&] { admin("ALTER ROLE away RENAME TO kiosk"); }, "password authentication failed"},
        {"host_rejected", [&] { write_login("reject"); }, [&] { write_login("scram-sha-256"); }, "pg_hba.conf"},
        {"certificate_expired", [&] { show_certificate("expired"); }, [&] { show_certificate("good"); },
         "certificate verify failed"},
        {"certificate_of_another_authority", [&] { show_certificate("strange"); }, [&] { show_certificate("good"); },
         "certificate verify failed"},
        {"name_not_resolved", [&] { write_service("no-such-host.invalid"); }, [&] { write_service("localhost"); },
         "no-such-host.invalid"},
        {"too_many_connections", [&] { admin("ALTER ROLE kiosk CONNECTION LIMIT 0"); },
         [&] { admin("ALTER ROLE kiosk CONNECTION LIMIT -1"); }, "too many connections"},
        {"database_renamed",
         [&] {
             admin_elsewhere("ALTER DATABASE test ALLOW_CONNECTIONS false");
             admin_elsewhere("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = 'test'");
             admin_elsewhere("ALTER DATABASE test RENAME TO away");
         },
         [&] {
             admin_elsewhere("ALTER DATABASE away RENAME TO test");
             admin_elsewhere("ALTER DATABASE test ALLOW_CONNECTIONS true");
         },
         "does not exist"},
        {"read_only", [&] { admin("ALTER ROLE kiosk SET default_transaction_read_only = on"); },
         [&] {
             admin("ALTER ROLE kiosk RESET default_transaction_read_only");
             end_sessions();
         },
         "read-only"},
        {"rights_revoked", [&] { admin("REVOKE ALL ON ALL TABLES IN SCHEMA kiosk FROM kiosk"); }, [&] { grant(); },
         "permission denied"},
    };
    const kiosk_service service{database(), broker(0), broker(1)};
    for (const auto& each : barriers) suffer(each, service, [&] { end_sessions(); });
    expect_that_nothing_counted(service);
}

TEST_F(connection_outage, of_the_brokers_counts_against_no_message) {
    // Connected before the server takes no one in any more.
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> operator_inside{
        ::popen(("redis-cli -s " + shell_word(redis_.socket().native()) + " >/dev/null").c_str(), "w"), ::pclose};
    ASSERT_NE(operator_inside, nullptr);
    const auto say = [&](const char* command) {
        std::fputs(command, operator_inside.get());
        std::fflush(operator_inside.get());
    };
    const auto account = [&](const std::string& change) { redis_.cli({"acl", "setuser", "kiosk", change}); };
    const auto set = [&](const char* name, const char* value) { redis_.cli({"config", "set", name, value}); };
    const auto right_password = fmt::format(">{}", password);
    const std::vector<barrier> barriers{
        {"password_changed", [&] { account("resetpass"), account(">other"); },
         [&] { account("<other"), account(right_password); }, "WRONGPASS"},
        {"account_off", [&] { account("off"); }, [&] { account("on"); }, "WRONGPASS"},
        {"rights_revoked", [&] { account("-@stream"); }, [&] { account("+@stream"); }, "NOPERM"},
        {"keys_revoked", [&] { account("resetkeys"); }, [&] { account("~*"); }, "NOPERM"},
        {"certificate_expired", [&] { show_redis_certificate("expired"); }, [&] { show_redis_certificate("good"); },
         "certificate is not accepted"},
        {"certificate_of_another_authority", [&] { show_redis_certificate("strange"); },
         [&] { show_redis_certificate("good"); }, "certificate is not accepted"},
        {"too_many_clients", [&] { say("config set maxclients 1\nclient kill user kiosk\n"); },
         [&] { say("config set maxclients 1000\n"); }, "the connection broke"},  // before TLS can carry a reason
        {"a_replica_now",
         [&] {
             redis_.cli({"replicaof", "127.0.0.1", "1"});
         },
         [&] {
             redis_.cli({"replicaof", "no", "one"});
         },
         "READONLY"},
        {"memory_full", [&] { set("maxmemory", "1"); }, [&] { set("maxmemory", "0"); }, "OOM", true},
    };
    const kiosk_service service{database(), broker(0), broker(1)};
    const auto disconnect = [&] {
        try {
            redis_.cli({"client", "kill", "user", "kiosk"});
        } catch (const std::runtime_error&) {  // it takes no one in, us neither
        }
    };
    for (auto each : barriers) {
        each.of = place::brokers;
        suffer(each, service, disconnect);
    }
    expect_that_nothing_counted(service);
}

}  // namespace
}  // namespace sluice::testing
