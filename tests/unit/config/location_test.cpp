#include "config/location.hpp"

#include <gtest/gtest.h>

#include <array>

namespace sluice::config {
namespace {

TEST(locate_file, relative_locations_start_at_the_configuration_file) {
    EXPECT_EQ(locate_file("sqlite:///shop.db", "/srv/shop").path, "/srv/shop/shop.db");
    EXPECT_EQ(locate_file("sqlite:///../data/shop.db", "/srv/shop").path, "/srv/data/shop.db");
    EXPECT_EQ(locate_file("data/shop.db", "/srv/shop").path, "/srv/shop/data/shop.db");
}

TEST(locate_file, absolute_locations_stand) {
    EXPECT_EQ(locate_file("sqlite:////var/lib/shop.db", "/srv/shop").path, "/var/lib/shop.db");
    EXPECT_EQ(locate_file("/var/lib/shop.db", "/srv/shop").path, "/var/lib/shop.db");
}

TEST(locate_file, refuses_what_is_no_file) {
    for (const char* text : {"sqlite://shop.db", "sqlite:///", "sqlite:shop.db", "file:shop.db", "redis://host/0",
                             "data/", "joe:pw@h/shop", "password=x", "sqlite:///redis://h/0",
                             ":memory:", "sqlite:///:memory:", "sqlite:///shop.db?mode=ro", ""}) {
        const file_location found = locate_file(text, "/srv/shop");
        EXPECT_TRUE(found.path.empty()) << text;
        EXPECT_FALSE(found.problem.empty()) << text;
    }
}

constexpr auto file_parameters = std::to_array<std::string_view>({"sslrootcert", "sslcert", "sslkey", "ssl_ca_certs"});

TEST(with_absolute_files, lets_certificates_start_at_the_configuration_file) {
    const auto of = [](const char* address) { return with_absolute_files(address, file_parameters, "/srv/my shop"); };
    EXPECT_EQ(of("postgresql://me@db/shop?sslmode=verify-full&sslrootcert=tls/ca.pem&sslkey=/etc/key.pem"),
              "postgresql://me@db/shop?sslmode=verify-full&sslrootcert=/srv/my%20shop/tls/ca.pem&sslkey=/etc/key.pem");
    EXPECT_EQ(of("rediss://h?ssl_ca_certs=../ca%201.pem"), "rediss://h?ssl_ca_certs=/srv/ca%201.pem");
    EXPECT_EQ(of("host=db sslcert=me.pem password='a\\'b'"),
              "host='db' password='a\\'b' sslcert='/srv/my shop/me.pem'");
}

TEST(with_absolute_files, leaves_the_rest_alone) {
    for (const char* address :
         {"postgresql://me@db/shop?sslrootcert=system&application_name=a/b", "postgresql://me:a@b@db/shop?sslcert=x",
          "host=db password=a b sslcert=x", "host=db user=me", "redis://h", "", "postgresql://h/d?sslkey="}) {
        EXPECT_EQ(with_absolute_files(address, file_parameters, "/srv"), address);
    }
}

}  // namespace
}  // namespace sluice::config
