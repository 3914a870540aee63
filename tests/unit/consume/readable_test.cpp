#include "consume/readable.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sluice/error.hpp>

#include "post_fixture.hpp"
#include "support/publish_only_broker.hpp"

namespace sluice::consume {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string problem_of(commit::environment& env) {
    try {
        static_cast<void>(routes_of(env));
    } catch (const configuration_error& e) {
        return e.what();
    }
    return {};
}

class readable : public ::testing::Test {
protected:
    std::unique_ptr<commit::environment> with(const std::string& name) {
        commit::adapters parts;
        parts.databases.emplace("default", f_.database);
        parts.brokers.emplace("default", f_.broker);
        parts.brokers.emplace("partner", f_.broker);
        parts.brokers[name] = std::make_shared<sluice::testing::publish_only_broker>();
        return std::make_unique<commit::environment>(f_.domain.declared(), config::configuration{}, parts, f_.clock,
                                                     f_.random);
    }

    post::fixture f_;
};

TEST_F(readable, an_internal_broker_must_be) {
    EXPECT_THAT(problem_of(*with("default")),
                AllOf(HasSubstr("reads stream `post::letter` of broker `default`, and a partner's door takes messages"),
                      HasSubstr("name another broker in outbox.broker")));
}

TEST_F(readable, another_need_not_be_while_nobody_reads_from_it) { EXPECT_EQ(problem_of(*with("partner")), ""); }

}  // namespace
}  // namespace sluice::consume
