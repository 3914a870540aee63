#include "store/postgresql/server_address.hpp"

#include <gmock/gmock.h>

#include <sluice/error.hpp>

namespace sluice::store::postgresql {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::Pair;

server_address address_of(std::string conninfo) { return server_address{{.conninfo = std::move(conninfo)}}; }

TEST(server_address, names_database_and_server_but_no_credentials) {
    EXPECT_EQ(address_of("postgresql://me:secret@db.example:5433/shop?sslmode=require").name(),
              "postgresql shop at db.example:5433");
    EXPECT_EQ(address_of("host=/run/pg dbname=shop password=secret").name(), "postgresql shop at /run/pg");
    EXPECT_EQ(address_of("").name(), "postgresql");
}

TEST(server_address, sets_deadlines_where_the_user_has_none) {
    EXPECT_THAT(address_of("dbname=shop").settings(),
                IsSupersetOf({Pair("connect_timeout", "5"), Pair("tcp_user_timeout", "20000"),
                              Pair("keepalives_idle", "10"), Pair("application_name", "sluice")}));
}

TEST(server_address, passes_everything_else_on) {
    EXPECT_THAT(address_of("postgresql://db/shop?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=9"
                           "&application_name=mine&target_session_attrs=read-write&client_encoding=LATIN1")
                    .settings(),
                IsSupersetOf({Pair("sslmode", "verify-full"), Pair("sslrootcert", "/ca.pem"),
                              Pair("connect_timeout", "9"), Pair("application_name", "mine"),
                              Pair("target_session_attrs", "read-write"), Pair("client_encoding", "UTF8")}));
}

TEST(server_address, does_not_repeat_what_it_cannot_read) {
    for (const char* text : {"postgresql://me:s3cret@[host/x", "host= = s3cret", "postgresql://h/d?s3cret=1"}) {
        try {
            static_cast<void>(address_of(text));
            FAIL() << text;
        } catch (const configuration_error& e) {
            EXPECT_THAT(e.what(), AllOf(Not(HasSubstr("s3cret")), HasSubstr("postgresql://user@host")));
        }
    }
}

TEST(server_address, names_nothing_of_an_address_that_can_be_read_in_two_ways) {
    for (const char* text :
         {"postgresql://me:x@s3cret@db.example/shop", "postgresql://me:x/s3cret@db.example/shop",
          "postgresql://me:x?s3cret@db.example/shop", "postgresql://db.example/shop?application_name=s3@cret",
          "password=x dbname=s3cret dbname=shop", "password='x'dbname=s3cret", "password=x'y dbname=s3cret"}) {
        const auto told = address_of(text).name();
        EXPECT_THAT(told, AllOf(HasSubstr("two ways"), Not(HasSubstr("s3")), Not(HasSubstr("db.example")))) << text;
    }
}

TEST(server_address, tells_no_reason_that_may_quote_the_address) {
    try {
        static_cast<void>(address_of("postgresql://me:x/s3cret@127.0.0.1:1/shop").connect());
        FAIL() << "there is no such server";
    } catch (const store_error& e) {
        EXPECT_THAT(e.what(), AllOf(HasSubstr("cannot connect to postgresql"), Not(HasSubstr("s3cret"))));
    }
}

TEST(postgresql_database, wants_a_plain_name_for_the_schema) {
    for (const char* name : {"", "a b", "x\"; DROP TABLE", "1st", "schön"}) {
        EXPECT_THROW(static_cast<void>(make_postgresql_database({.conninfo = "dbname=x", .schema = name})),
                     configuration_error)
            << name;
    }
    EXPECT_EQ(make_postgresql_database({.conninfo = "dbname=x", .schema = "Shop_2"})->describe(), "postgresql x");
}

}  // namespace
}  // namespace sluice::store::postgresql
