#include "store/postgresql/host_lookup.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>

namespace sluice::store::postgresql {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(host_lookup, does_not_wait_for_a_name_server_that_is_silent_and_asks_it_once) {
    const auto asked = std::make_shared<std::atomic<int>>(0);
    std::promise<void> gate;
    const auto answers = gate.get_future().share();
    host_lookup lookup{[asked, answers](const std::string&) {
        ++*asked;
        answers.wait();
        return host_addresses{.addresses = {"192.0.2.1"}, .failure = {}};
    }};
    for (int i = 0; i < 3; ++i) {
        const auto found = lookup.find({"db.example"}, 1ms);
        EXPECT_THAT(found.at(0).addresses, IsEmpty());
        EXPECT_THAT(found.at(0).failure, HasSubstr("too long"));
    }
    gate.set_value();
    EXPECT_THAT(lookup.find({"db.example"}, 1min).at(0).addresses, ElementsAre("192.0.2.1"));
    EXPECT_EQ(*asked, 1);
    EXPECT_THAT(lookup.find({"db.example"}, 1min).at(0).addresses, ElementsAre("192.0.2.1"));
    EXPECT_EQ(*asked, 2) << "addresses change";
}

TEST(host_lookup, a_silent_name_delays_no_other_for_longer_than_the_wait) {
    std::promise<void> gate;
    const auto answers = gate.get_future().share();
    host_lookup lookup{[answers](const std::string& host) {
        if (host == "silent") answers.wait();
        return host_addresses{.addresses = {"192.0.2.1"}, .failure = {}};
    }};
    const auto found = lookup.find({"silent", "db.example"}, 5s);
    EXPECT_THAT(found.at(0).addresses, IsEmpty());
    EXPECT_THAT(found.at(1).addresses, ElementsAre("192.0.2.1"));
    gate.set_value();
}

TEST(host_lookup, asks_the_system) {
    EXPECT_THAT(host_lookup::ask_system("localhost").addresses, ::testing::Contains("127.0.0.1"));
    EXPECT_THAT(host_lookup::ask_system("no-such-host.invalid").addresses, IsEmpty());
}

TEST(resolved_hosts, puts_every_address_beside_its_name) {
    EXPECT_THAT(names_in("a,/run/pg,192.0.2.7,b,::1"), ElementsAre("a", "b"));
    const auto all = resolve(
        "a,192.0.2.7,b", "1,2,3",
        {{.addresses = {"192.0.2.1", "2001:db8::1"}, .failure = {}}, {.addresses = {"192.0.2.3"}, .failure = {}}});
    EXPECT_EQ(all.host, "a,a,192.0.2.7,b");
    EXPECT_EQ(all.hostaddr, "192.0.2.1,2001:db8::1,,192.0.2.3");
    EXPECT_EQ(all.port, "1,1,2,3");
    EXPECT_EQ(resolve("a", "", {{.addresses = {"192.0.2.1"}, .failure = {}}}).port, "");
}

TEST(resolved_hosts, leaves_out_a_host_without_an_address_while_another_has_one) {
    const host_addresses none{.addresses = {}, .failure = "gone"};
    const auto some = resolve("a,b", "5432", {none, {.addresses = {"192.0.2.3"}, .failure = {}}});
    EXPECT_EQ(some.host, "b");
    EXPECT_EQ(some.hostaddr, "192.0.2.3");
    EXPECT_EQ(some.failure, "");
    const auto nothing = resolve("a,b", "", {none, none});
    EXPECT_EQ(nothing.host, "");
    EXPECT_THAT(nothing.failure, HasSubstr("host a has no address: gone"));
}

}  // namespace
}  // namespace sluice::store::postgresql
