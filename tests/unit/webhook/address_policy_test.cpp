#include "broker/webhook/address_policy.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <cstring>

#include "net/deadline.hpp"

namespace sluice::broker::webhook {
namespace {

net::socket_address address(const char* text) {
    net::socket_address made;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        std::memcpy(&made.storage, &v4, sizeof v4);
        made.size = sizeof v4;
    } else if (::inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        std::memcpy(&made.storage, &v6, sizeof v6);
        made.size = sizeof v6;
    } else {
        ADD_FAILURE() << text << " is no address";
    }
    return made;
}

TEST(address_policy, refuses_the_ends_of_each_range_and_nothing_beside_it) {
    struct range {
        const char* before;
        const char* first;
        const char* last;
        const char* after;
    };
    // An empty neighbour belongs to another range that is refused, or does not exist.
    const range ranges[] = {
        {"", "0.0.0.0", "0.255.255.255", "1.0.0.0"},
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
        {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
        {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
        {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
        {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
        {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
        {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
        {"223.255.255.255", "224.0.0.0", "239.255.255.255", ""},
        {"", "240.0.0.0", "255.255.255.255", ""},
        {"", "::", "::1", ""},
        {"", "::2", "::ffff", ""},
        {"", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", ""},
        {"", "100::", "100::ffff:ffff:ffff:ffff", ""},
        {"", "1fff:ffff::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"},
        {"2000:ffff::", "2001::", "2001:1ff:ffff::", "2001:200::"},
        {"2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::", "2001:db9::"},
        {"2001:ffff::", "2002::", "2002:ffff::", "2003::"},
        {"3ffe:ffff::", "3fff::", "3fff:fff::", "3fff:1000::"},
        {"3fff:ffff::", "4000::", "fbff::", ""},
        {"", "fc00::", "fdff:ffff::", ""},
        {"", "fe80::", "febf:ffff::", ""},
        {"", "fec0::", "feff:ffff::", ""},
        {"", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
    };
    for (const auto& each : ranges) {
        EXPECT_NE(why_not_public(address(each.first)), "") << each.first;
        EXPECT_NE(why_not_public(address(each.last)), "") << each.last;
        if (*each.before != 0) {
            EXPECT_EQ(why_not_public(address(each.before)), "") << each.before;
        }
        if (*each.after != 0) {
            EXPECT_EQ(why_not_public(address(each.after)), "") << each.after;
        }
    }
}

TEST(address_policy, judges_the_address_behind_an_address) {
    for (const char* each : {"::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "64:ff9b::127.0.0.1",
                             "64:ff9b::192.168.0.1", "2002:7f00:1::", "::127.0.0.1", "2001:0:1:2::"}) {
        EXPECT_NE(why_not_public(address(each)), "") << each;
    }
    EXPECT_EQ(why_not_public(address("::ffff:93.184.216.34")), "");
    EXPECT_EQ(why_not_public(address("64:ff9b::93.184.216.34")), "");
    EXPECT_EQ(why_not_public(address("2606:2800:220:1:248:1893:25c8:1946")), "");
}

TEST(address_policy, says_what_an_address_is) {
    EXPECT_EQ(why_not_public(address("127.0.0.1")), "loopback");
    EXPECT_EQ(why_not_public(address("::1")), "loopback");
    EXPECT_EQ(why_not_public(address("10.0.0.1")), "private network");
    EXPECT_EQ(address_text(address("::ffff:10.0.0.1")), "::ffff:10.0.0.1");
    EXPECT_EQ(address_text(address("10.0.0.1")), "10.0.0.1");
    net::socket_address of_a_socket;
    of_a_socket.storage.ss_family = AF_UNIX;
    EXPECT_NE(why_not_public(of_a_socket), "");
}

// However a host is spelt, what is judged is what the system makes of it.
TEST(address_policy, is_not_bypassed_by_a_spelling) {
    for (const char* host : {"2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "0x7f000001", "::ffff:7f00:1",
                             "0:0:0:0:0:ffff:127.0.0.1", "localhost"}) {
        net::resolver names{host, 80};
        for (const auto& each : names.resolve(net::deadline{std::chrono::seconds{5}})) {
            EXPECT_NE(why_not_public(each), "") << host << ' ' << address_text(each);
        }
    }
}

}  // namespace
}  // namespace sluice::broker::webhook
