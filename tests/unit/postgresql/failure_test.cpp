#include "store/postgresql/failure.hpp"

#include <gmock/gmock.h>

namespace sluice::store::postgresql {
namespace {

TEST(failure, tells_what_may_be_tried_again) {
    for (const char* state : {"55P03", "57014", "53200", "26000", "XX001"}) {
        EXPECT_EQ(nature_of(state), error_nature::retryable) << state;
    }
    for (const char* state : {"40001", "40P01"}) EXPECT_EQ(nature_of(state), error_nature::conflict) << state;
    for (const char* state : {"23505", "22P02", "22001", "54000", "P0001", ""}) {
        EXPECT_EQ(nature_of(state), error_nature::permanent) << state;
    }
}

TEST(failure, takes_no_statement_to_be_at_fault_when_the_server_or_the_login_is) {
    for (const char* state :
         {"57P01", "57P03", "53300", "53100", "08006", "25006", "28P01", "28000", "3D000", "42501", "42P01", "58030"}) {
        EXPECT_EQ(nature_of(state), error_nature::outage) << state;
    }
}

TEST(failure, shows_of_a_message_what_has_no_values_in_it) {
    EXPECT_EQ(first_clause("22P02", "invalid input syntax for type integer: \"s3cret\""),
              "invalid input syntax for type integer");
    EXPECT_EQ(first_clause("22P02", "ung\u00fcltige Eingabesyntax f\u00fcr Typ integer: \u00bbs3cret\u00ab"),
              "ung\u00fcltige Eingabesyntax f\u00fcr Typ integer");
    EXPECT_EQ(first_clause("22P02", "syntaxe en entr\u00e9e invalide pour le type integer : \u00ab s3cret \u00bb"),
              "syntaxe en entr\u00e9e invalide pour le type integer");
    EXPECT_EQ(first_clause("P0001", "the card '4111' was refused"), "the card") << "the words of a trigger";
    EXPECT_EQ(first_clause("42P01", "relation \"event_log\" does not exist"), "relation \"event_log\" does not exist");
    EXPECT_EQ(first_clause("23505", "duplicate key value violates unique constraint \"inbox_pkey\""),
              "duplicate key value violates unique constraint \"inbox_pkey\"");
    EXPECT_EQ(first_clause("42601", "syntax error at or near \"s3cret\""), "syntax error at or near");
}

TEST(failure, names_a_remedy) {
    EXPECT_THAT(std::string{remedy_for("42P01")}, ::testing::HasSubstr("sluice db setup"));
    EXPECT_THAT(std::string{remedy_for("53300")}, ::testing::HasSubstr("max_connections"));
    EXPECT_THAT(std::string{remedy_for("53100")}, ::testing::HasSubstr("disk"));
    EXPECT_THAT(std::string{remedy_for("28P01")}, ::testing::HasSubstr("password"));
}

TEST(failure, a_lost_connection_is_worth_another_try_and_says_so_on_one_line) {
    const connection_lost loss{"postgresql shop", "server closed\nthe connection"};
    EXPECT_TRUE(loss.retryable());
    EXPECT_FALSE(loss.in_doubt());
    EXPECT_STREQ(loss.what(),
                 "postgresql shop: server closed the connection; it is connected again with the next call");
}

}  // namespace
}  // namespace sluice::store::postgresql
