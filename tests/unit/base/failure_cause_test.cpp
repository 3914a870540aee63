#include "base/failure_cause.hpp"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <system_error>

#include <sluice/error.hpp>

namespace {

using sluice::base::cause_of;
using sluice::base::failure_cause;
using nature = sluice::error_nature;

TEST(failure_cause, what_cannot_be_reached_opened_or_logged_in_to_is_an_outage) {
    EXPECT_EQ(cause_of(sluice::store_error{"no such host", nature::outage}), failure_cause::outage);
    EXPECT_EQ(cause_of(sluice::broker_error{"no such host", nature::outage}), failure_cause::outage);
    EXPECT_EQ(cause_of(sluice::error{"the mail server is away", nature::outage}), failure_cause::outage)
        << "a handler may say so itself";
}

TEST(failure_cause, a_lost_race_is_a_conflict) {
    EXPECT_EQ(cause_of(sluice::expected_version_error{"changed"}), failure_cause::conflict);
    EXPECT_EQ(cause_of(sluice::store_error{"deadlock", nature::conflict}), failure_cause::conflict);
}

TEST(failure_cause, what_the_database_could_not_do_now_may_be_the_message_s_fault_or_not) {
    EXPECT_EQ(cause_of(sluice::store_error{"lock timeout", nature::retryable}), failure_cause::statement);
    EXPECT_EQ(cause_of(sluice::store_error{"lost in commit", nature::in_doubt}), failure_cause::statement);
    EXPECT_EQ(cause_of(std::bad_alloc{}), failure_cause::statement);
    EXPECT_EQ(cause_of(std::system_error{std::make_error_code(std::errc::too_many_files_open)}),
              failure_cause::statement);
}

TEST(failure_cause, everything_else_counts_against_the_message) {
    EXPECT_EQ(cause_of(sluice::store_error{"value too long"}), failure_cause::message);
    EXPECT_EQ(cause_of(sluice::validation_error{"Order", {{"id", "is required"}}}), failure_cause::message);
    EXPECT_EQ(cause_of(sluice::error{"sold out for now", nature::retryable}), failure_cause::message)
        << "the domain's own";
    EXPECT_EQ(cause_of(std::runtime_error{"boom"}), failure_cause::message);
    EXPECT_EQ(cause_of(std::system_error{std::make_error_code(std::errc::file_exists)}), failure_cause::message);
}

}  // namespace
